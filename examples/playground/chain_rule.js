'use strict';
// The chain rule, step by step, for one sample and one weight: the forward pass, the loss, the delta of each layer, and the product that is
// dJ/dW of the weight, beside a central difference. All numbers come from the library (explain.hpp); sums are only written out here.

class ChainRule {
  /** `changed` is called when the choice of the sample, the weight or the step has changed. */
  constructor(root, changed) {
    Object.assign(this, {root, changed, isOpen: false, sample: 0, weight: {layer: 0, row: 0, column: 0}, at: 0});
    root.addEventListener('keydown', (event) => {
      if (['INPUT', 'SELECT'].includes(event.target.tagName) || event.target.id === 'step-body') return;  // which use the arrows themselves
      if (event.key === 'ArrowRight') this.go(1);
      if (event.key === 'ArrowLeft') this.go(-1);
    });
  }

  /** Keeps the choice within a net and a number of points that have changed. */
  fit(widths, points) {
    const {weight} = this;
    weight.layer = Math.min(weight.layer, widths.length - 2);
    weight.row = Math.min(weight.row, widths[weight.layer + 1] - 1);
    weight.column = Math.min(weight.column, widths[weight.layer] - 1);
    this.sample = Math.max(0, Math.min(this.sample, points - 1));
  }

  choose(weight) {
    this.weight = weight;
    this.at = Infinity;  // the last step, the product
    this.changed();
  }

  go(by) {
    this.at = Math.max(0, Math.min(this.steps.length - 1, this.at + by));
    this.changed();
  }

  render(engine, activation, loss) {
    const count = engine.points().length;
    this.steps = [];
    if (count === 0) return this.root.replaceChildren(make('p', {}, 'There are no points. Paint one, or choose another data set.'));
    this.fit(engine.widths, count);
    const {layer, row, column} = this.weight;
    this.widths = engine.widths;
    this.numbers = engine.explain(this.sample, layer, row, column);
    if (!Number.isFinite(this.numbers.J)) return this.root.replaceChildren(make('p', {}, 'J is not a finite number any more. Start over with a smaller learning rate.'));
    this.point = engine.points()[this.sample];
    this.L = engine.widths.length - 1;
    this.slopeName = ['σ′', 'tanh′', 'ReLU′', 'LReLU′', 'id′'][activation];
    this.functionName = ['σ', 'tanh', 'ReLU', 'LReLU', 'id'][activation];
    this.activation = activation;
    this.loss = loss;
    this.steps = this.makeSteps();
    this.at = Math.min(this.at, this.steps.length - 1);
    const focused = document.activeElement?.id;
    this.root.replaceChildren(this.chooser(count), this.formula(), this.stepper(), this.outcome());
    if (focused && this.root.contains(byId(focused))) byId(focused).focus();
  }

  // Names, as in the lecture: z(l), a(l), delta(l) with l from 2 to L + 1, and x = a(1).
  aName(l) { return l === 1 ? 'x' : l === this.L + 1 ? 'ŷ' : `a(${l})`; }
  aValues(l) { return l === 1 ? this.numbers.x : this.numbers.layers[l - 2].a; }
  delta(l) { return this.numbers.layers[l - 2].delta; }
  errorName() { return this.loss === 2 ? 'dJ/dŷ' : '(ŷ − y)'; }
  norm(numbers) { return Math.hypot(...numbers); }

  makeSteps() {
    const {L, weight} = this, steps = [];
    for (let l = 2; l <= L + 1; ++l) steps.push({kind: 'forward', l, title: `forward: z(${l}) and ${this.aName(l)}`});
    steps.push({kind: 'loss', l: L + 1, title: 'the loss J'});
    for (let l = L + 1; l >= weight.layer + 2; --l) steps.push({kind: 'delta', l, title: `back: δ(${l}) = dJ/dz(${l})`});
    steps.push({kind: 'product', l: weight.layer + 2, title: `the product: dJ/d${nameOfWeight(weight)}`});
    return steps;
  }

  chooser(count) {
    const {layer, row, column} = this.weight, {widths} = this;
    const list = (id, label, length, chosen, text, change) => make('div', {class: 'field'}, make('label', {for: id}, label),
      make('select', {id, onchange: (event) => change(event.target.selectedIndex)},
        Array.from({length}, (_, i) => make('option', {selected: i === chosen}, text(i)))));
    const sample = make('input', {id: 'sample', type: 'text', inputmode: 'numeric', value: this.sample + 1});
    sample.addEventListener('change', () => {
      try {
        this.sample = readNumber({label: 'Sample', min: 1, max: count, whole: true}, sample.value) - 1;
        showMessage('');
      } catch (error) {
        showMessage(`${error.message}; it stays ${this.sample + 1}.`);
      }
      this.changed();
    });
    const set = (part) => {
      Object.assign(this.weight, part);
      this.fit(widths, count);
      this.changed();
    };
    return make('div', {class: 'chooser'},
      make('div', {class: 'field'}, make('label', {for: 'sample'}, `Sample, 1 to ${count}`), sample),
      list('of-layer', 'Weight of', widths.length - 1, layer, (l) => `W(${l + 1})`, (l) => set({layer: l})),
      list('of-column', 'from', widths[layer], column, (j) => `${this.aName(layer + 1)}${sub(j + 1)}`, (j) => set({column: j})),
      list('of-row', 'to', widths[layer + 1], row, (i) => `z(${layer + 2})${sub(i + 1)}`, (i) => set({row: i})));
  }

  /** The lecture's formula, with the numbers below each factor. A factor lights up when its step has been reached. */
  formula() {
    const {weight: {layer, row, column}, L, numbers} = this;
    const reached = (kind, l) => this.steps.findIndex((s) => s.kind === kind && s.l === l) <= this.at;
    const cells = (values, marked) => make('span', {class: 'cells'}, values.map((v, i) =>
      make('span', {class: i === marked ? 'cell marked' : 'cell'}, digits(v, 3))));
    const matrix = (rows, marked) => make('span', {class: 'matrix', style: `grid-template-columns: repeat(${rows[0].length}, 1fr)`},
      rows.flatMap((r) => r.map((w, j) => make('span', {
        class: marked === undefined || j === marked ? 'dot' : 'dot faint',
        style: `background: ${colour(Math.max(-1, Math.min(1, w / 2)))}`, title: digits(w)}))));
    const factor = (name, body, on) => make('div', {class: on ? 'factor on' : 'factor'}, make('b', {}, name), body);
    const parts = [factor(this.errorName(), cells(this.delta(L + 1)), reached('delta', L + 1))];
    for (let l = L; l >= layer + 2; --l) {
      const marked = l === layer + 2 ? row : undefined, on = reached('delta', l);
      parts.push(factor(`W(${l})`, matrix(numbers.layers[l - 1].weight, marked), on));
      parts.push(factor(`${this.slopeName}(z(${l}))`, cells(numbers.layers[l - 2].slope, marked), on));
    }
    parts.push(factor(this.aName(layer + 1), cells(this.aValues(layer + 1), column), reached('product', layer + 2)));
    const dots = parts.map((part, i) => (i === 0 ? part : make('div', {class: 'with-dot'}, make('span', {class: 'times', 'aria-hidden': 'true'}, '·'), part)));
    return make('div', {class: 'formula', id: 'formula'}, make('div', {class: 'left'}, `dJ/d${nameOfWeight(this.weight)} =`), ...dots);
  }

  stepper() {
    const step = this.steps[this.at];
    const text = {forward: () => this.forwardStep(step.l), loss: () => this.lossStep(), delta: () => this.deltaStep(step.l), product: () => this.productStep()};
    return make('div', {class: 'step'},
      make('div', {class: 'step-bar'},
        make('button', {id: 'back', type: 'button', disabled: this.at === 0, onclick: () => this.go(-1)}, '← Back'),
        make('button', {id: 'next', type: 'button', class: 'main', disabled: this.at === this.steps.length - 1, onclick: () => this.go(1)}, 'Next →'),
        make('p', {id: 'step-title', 'aria-live': 'polite'}, `${this.at + 1} of ${this.steps.length} · ${step.title}`)),
      make('div', {class: 'wide', id: 'step-body', tabindex: '0', role: 'group', 'aria-label': 'The numbers of this step'}, text[step.kind]()));
  }

  // A sum of products as text, with line breaks before its terms only: 0.5 · 0.31 + (−0.2) · 0.5.
  sum(weights, values, bias) {
    const wrap = (v) => (v < 0 ? `(${digits(v, 3)})` : digits(v, 3));
    const terms = weights.map((w, j) => `${wrap(w)}\u00a0·\u00a0${wrap(values[j])}`);
    if (bias !== undefined) terms.push(wrap(bias));
    return terms.join(' +\u00a0');
  }

  table(heads, rows, marked) {
    return make('table', {}, make('thead', {}, make('tr', {}, heads.map((text) => make('th', {scope: 'col'}, text)))),
      make('tbody', {}, rows.map((cells, i) => make('tr', {class: i === marked ? 'marked' : false}, cells.map((text) => make('td', {}, text))))));
  }

  forwardStep(l) {
    const {z, a, weight, bias} = this.numbers.layers[l - 2], before = this.aValues(l - 1), isLast = l === this.L + 1;
    const marked = l === this.weight.layer + 2 ? this.weight.row : -1;
    const f = isLast ? (this.loss === 0 ? 'sigmoid' : '') : this.functionName;
    return [make('p', {class: 'rule'}, `z(${l}) = W(${l - 1}) ${this.aName(l - 1)} + b(${l - 1}),   ${this.aName(l)} = ${f ? `${f}(z(${l}))` : `z(${l})`}`),
      this.table(['unit', 'sum of weights · inputs + bias', `z(${l})`, this.aName(l)],
        z.map((v, i) => [String(i + 1), this.sum(weight[i], before, bias[i]), digits(v), digits(a[i])]), marked)];
  }

  lossStep() {
    const {J, y, prediction} = this.numbers;
    const formula = ['J = − y ln ŷ − (1 − y) ln(1 − ŷ)', 'J = ½ (ŷ − y)²', 'J = ½ e² up to |e| = 0.2, then 0.2 (|e| − 0.1), with e = ŷ − y'][this.loss];
    return [make('p', {class: 'rule'}, formula), this.table(['target y', 'prediction ŷ', 'J'], [[digits(y), digits(prediction), digits(J)]])];
  }

  deltaStep(l) {
    const {y, prediction, layers} = this.numbers, delta = this.delta(l);
    if (l === this.L + 1) {
      const why = ['because the loss is the cross-entropy of a sigmoid', 'because the loss is half the squared error', 'which Huber’s loss cuts to ± 0.2'][this.loss];
      return [make('p', {class: 'rule'}, `δ(${l}) = dJ/dz(${l}) = ŷ − y, ${why}`),
        this.table(['ŷ', 'y', `δ(${l})`], [[digits(prediction), digits(y), digits(delta[0])]])];
    }
    const {slope} = layers[l - 2], above = this.delta(l + 1), W = layers[l - 1].weight, back = slope.map((_, i) => W.reduce((s, r, k) => s + r[i] * above[k], 0));
    const marked = l === this.weight.layer + 2 ? this.weight.row : -1;
    return [make('p', {class: 'rule'}, `δ(${l}) = W(${l})ᵀ δ(${l + 1}) · ${this.slopeName}(z(${l}))`),
      this.table(['unit', `sum of weights of W(${l}) · δ(${l + 1})`, `${this.slopeName}(z(${l}))`, `δ(${l})`],
        slope.map((s, i) => [String(i + 1), `${this.sum(W.map((r) => r[i]), above)} =\u00a0${digits(back[i], 3)}`, digits(s, 3), digits(delta[i], 3)]), marked)];
  }

  productStep() {
    const {layer, row, column} = this.weight, {gradient} = this.numbers;
    const delta = this.delta(layer + 2)[row], a = this.aValues(layer + 1)[column];
    return [make('p', {class: 'rule'}, `dJ/d${nameOfWeight(this.weight)} = δ(${layer + 2})${sub(row + 1)} · ${this.aName(layer + 1)}${sub(column + 1)}`),
      this.table([`δ(${layer + 2})${sub(row + 1)}`, `${this.aName(layer + 1)}${sub(column + 1)}`, 'their product'], [[digits(delta, 6), digits(a, 6), digits(gradient, 6)]])];
  }

  /** The gradient as a product of one number for each layer: how much of delta the layer passes on. */
  factors() {
    const {weight: {layer, row, column}, L} = this;
    const error = this.delta(L + 1)[0], factors = [{name: `δ(${L + 1}) = ${this.errorName()}`, value: error}];
    for (let l = L; l >= layer + 2; --l) {
      const above = this.norm(this.delta(l + 1));
      factors.push({name: `what W(${l}) and ${this.slopeName}(z(${l})) pass on: ‖δ(${l})‖ / ‖δ(${l + 1})‖`, value: above === 0 ? 0 : this.norm(this.delta(l)) / above});
    }
    const last = this.delta(layer + 2), norm = this.norm(last);
    if (layer + 2 < L + 1) factors.push({name: `share of unit ${row + 1}: δ(${layer + 2})${sub(row + 1)} / ‖δ(${layer + 2})‖ · sign of δ(${L + 1})`, value: norm === 0 ? 0 : last[row] / norm * (error < 0 ? -1 : 1)});
    factors.push({name: `${this.aName(layer + 1)}${sub(column + 1)}`, value: this.aValues(layer + 1)[column]});
    return factors;
  }

  outcome() {
    const {gradient, central, h} = this.numbers;
    let product = 1;
    const rows = this.factors().map(({name, value}) => {
      product *= value;
      return make('tr', {}, make('td', {}, name), make('td', {class: 'number', 'data-factor': value}, digits(value)), make('td', {class: 'number'}, digits(product)));
    });
    const difference = Math.abs(gradient - central);
    return make('div', {class: 'outcome'},
      make('div', {},
        make('h3', {}, 'One number for each layer'),
        make('div', {class: 'wide'}, make('table', {id: 'factors'},
          make('thead', {}, make('tr', {}, ['factor', 'value', 'product so far'].map((text) => make('th', {scope: 'col'}, text)))),
          make('tbody', {}, rows)))),
      make('div', {},
        this.flow(),
        make('dl', {class: 'compare'},
          make('div', {}, make('dt', {}, `dJ/d${nameOfWeight(this.weight)} by the chain rule`), make('dd', {id: 'gradient', 'data-value': gradient}, digits(gradient, 7))),
          make('div', {}, make('dt', {}, `central difference, (J(w + h) − J(w − h)) / 2h with h = ${digits(h, 3)}`), make('dd', {id: 'central', 'data-value': central}, digits(central, 7))),
          make('div', {}, make('dt', {}, 'they differ by'), make('dd', {}, digits(difference, 3))))));
  }

  /** A bar for each layer: the norm of its dJ/dW, on a scale of powers of 10. */
  flow() {
    const norms = this.numbers.layers.map((layer) => layer.norm), largest = Math.max(...norms), smallest = Math.min(...norms.filter((n) => n > 0));
    const decades = Math.max(1, Math.ceil(Math.log10(largest / smallest) + 0.3));
    const share = (n) => (n > 0 && largest > 0 ? Math.max(0.02, 1 + Math.log10(n / largest) / decades) : 0);
    const rows = norms.map((n, l) => make('div', {class: 'bar-row'}, make('span', {}, `W(${l + 1})`),
      make('span', {class: 'bar'}, make('span', {style: `width: ${100 * share(n)}%`})), make('span', {class: 'number'}, digits(n, 3))));
    const first = norms[0], last = norms.at(-1);
    const times = (ratio) => (ratio < 1e6 ? Number(ratio.toPrecision(2)).toLocaleString('en') : digits(ratio, 2));
    let verdict = 'The gradient reaches all layers.';
    if (largest === 0) verdict = 'All gradients are 0: this sample teaches nothing now.';
    else if (first === 0) verdict = 'No gradient reaches W(1): every path to it has a factor 0.';
    else if (first < last / 30) verdict = `The gradient of W(1) is ${times(last / first)} times smaller than that of W(${norms.length}): it vanishes.` +
      (this.activation === 0 ? ' Each layer multiplies by σ′(z) ≤ 0.25.' : '');
    else if (first > 30 * last) verdict = `The gradient of W(1) is ${times(first / last)} times larger than that of W(${norms.length}): it explodes.`;
    return make('div', {class: 'flow', id: 'flow'}, make('h3', {}, '‖dJ/dW(l)‖ of each layer'), ...rows,
      make('p', {class: 'caption'}, `${verdict} The bars have ${decades === 1 ? 'one power' : `${decades} powers`} of 10 from end to end.`));
  }
}
