'use strict';
// The net as the lecture draws it: inputs on the left, a column for each layer, a line for each weight. A line is as thick as its weight, and
// each unit shows what it computes over the plane.

const sub = (n) => String(n).replace(/\d/g, (d) => '₀₁₂₃₄₅₆₇₈₉'[d]);

class NetView {
  /** `choose` is called with {layer, row, column} when the user picks a weight. */
  constructor(canvas, caption, choose) {
    Object.assign(this, {canvas, caption, choose, pictures: new Pictures(), places: []});
    canvas.addEventListener('pointermove', (event) => this.tell(this.nearest(event)));
    canvas.addEventListener('pointerleave', () => this.tell(this.chosen));
    canvas.addEventListener('click', (event) => {
      const weight = this.nearest(event);
      if (weight) choose(weight);
    });
    canvas.addEventListener('keydown', (event) => this.key(event));
  }

  /** Where everything is, for this net and this width of the canvas. */
  arrange(widths) {
    const width = this.canvas.clientWidth, most = Math.max(...widths);
    const narrow = width < 480;
    const gap = (width - (narrow ? 30 : 60)) / widths.length;
    const size = Math.max(18, Math.min(narrow ? 30 : 44, gap - 14)), top = 34;
    const rowGap = narrow ? 46 : Math.min(110, 560 / most);
    const height = top + (narrow ? Math.max(4, most) * rowGap : 560) + 10;
    this.size = size;
    this.height = height;
    this.width = width;
    this.places = widths.map((count, column) => Array.from({length: count}, (_, i) => ({
      x: (narrow ? 15 : 30) + gap * (column + 0.5),
      y: top + (height - top - 10) / 2 + (i - (count - 1) / 2) * rowGap,
    })));
    this.narrow = narrow;
  }

  draw({widths, weights, surfaces, side, activation, third, chosen, shown}) {
    this.arrange(widths);
    this.weights = weights;
    this.chosen = chosen;
    const context = prepare(this.canvas, this.width, this.height), {size, places} = this;
    const largest = Math.max(1e-6, ...weights.flat().map((row) => Math.max(...row.map(Math.abs))));

    context.lineCap = 'round';
    weights.forEach((layer, l) => layer.forEach((row, i) => row.forEach((w, j) => {
      const from = places[l][j], to = places[l + 1][i];
      context.strokeStyle = w < 0 ? ink.low : ink.high;
      context.globalAlpha = 0.35 + 0.5 * Math.min(1, Math.abs(w) / largest);
      context.lineWidth = 0.4 + Math.min(this.narrow ? 4 : 6, 6 * Math.abs(w) / Math.max(largest, 2));
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    })));
    context.globalAlpha = 1;
    if (chosen) this.mark(context, chosen);

    this.pictures.arrange(widths.length, Math.max(...widths), side);
    surfaces.forEach((column, c) => column.forEach((numbers, i) => this.pictures.paint(c, i, numbers, this.scale(c, widths, numbers, activation), true)));
    this.pictures.finish();
    places.forEach((column, c) => column.forEach(({x, y}, i) => {
      context.fillStyle = ink.card;
      context.fillRect(x - size / 2 + 2, y - size / 2 + 2, size - 4, size - 4);
      this.pictures.draw(context, c, i, x - size / 2, y - size / 2, size);
      context.beginPath();
      context.roundRect(x - size / 2, y - size / 2, size, size, size / 8);
      context.lineWidth = c === shown ? 2.5 : 1;
      context.strokeStyle = c === shown ? ink.text : ink.soft;
      context.stroke();
    }));
    this.names(context, widths, third, shown);
  }

  /** How a unit's numbers become colours: the output and sigmoids from 0 to 1, others around 0 by their largest size. */
  scale(column, widths, numbers, activation) {
    const isOutput = column === widths.length - 1, isHidden = column > 0 && !isOutput;
    if (isOutput || (isHidden && activation === 0)) return (v) => 2 * v - 1;
    if (isHidden && activation === 1) return (v) => v;
    let largest = 1e-9;
    for (const v of numbers) if (Math.abs(v) > largest) largest = Math.abs(v);
    return (v) => v / largest;
  }

  /** The chosen weight: its line in the colour of the text, over all others. */
  mark(context, {layer, row, column}) {
    const from = this.places[layer]?.[column], to = this.places[layer + 1]?.[row];
    if (!from || !to) return;
    context.strokeStyle = ink.text;
    context.lineWidth = 2.5;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }

  names(context, widths, third, shown) {
    context.fillStyle = ink.text;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    const small = this.narrow ? 11 : 13;
    widths.forEach((_, c) => {
      const x = this.places[c][0].x, isLast = c === widths.length - 1;
      context.font = `${shown === c ? '600' : '400'} ${small}px system-ui, sans-serif`;
      context.fillText(c === 0 ? 'x' : isLast ? 'ŷ' : `a(${c + 1})`, x, 12);
      if (!isLast && this.places[c + 1][0].x - x > 80) {
        context.font = `${small}px system-ui, sans-serif`;
        context.fillStyle = ink.soft;
        context.fillText(`W(${c + 1})`, (x + this.places[c + 1][0].x) / 2, 12);
        context.fillStyle = ink.text;
      }
    });
    context.font = `${small}px system-ui, sans-serif`;
    context.textAlign = 'right';
    const inputs = ['x₁', 'x₂', ['', 'x₁x₂', 'x₁²', 'x₂²'][third]];
    this.places[0].forEach(({x, y}, i) => {
      if (this.narrow) {
        context.textAlign = 'center';
        context.fillText(inputs[i], x, y - this.size / 2 - 8);
      } else {
        context.fillText(inputs[i], x - this.size / 2 - 6, y);
      }
    });
  }

  /** The weight whose line is nearest to the pointer, if one is within 8 pixels. */
  nearest(event) {
    const box = this.canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
    let best = null, distance = 8;
    this.weights?.forEach((layer, l) => layer.forEach((row, i) => row.forEach((_, j) => {
      const a = this.places[l][j], b = this.places[l + 1][i];
      const t = Math.max(0, Math.min(1, ((px - a.x) * (b.x - a.x) + (py - a.y) * (b.y - a.y)) / ((b.x - a.x) ** 2 + (b.y - a.y) ** 2)));
      const d = Math.hypot(px - a.x - t * (b.x - a.x), py - a.y - t * (b.y - a.y));
      if (d < distance) [best, distance] = [{layer: l, row: i, column: j}, d];
    })));
    return best;
  }

  tell(weight) {
    const value = weight && this.weights?.[weight.layer]?.[weight.row]?.[weight.column];
    this.caption.textContent = value === undefined || value === null
      ? 'A line is as thick as its weight; violet is positive, amber negative. Choose a line to see its gradient.'
      : `${nameOfWeight(weight)} = ${digits(value)}, from unit ${weight.column + 1} to unit ${weight.row + 1}`;
  }

  /** Arrows choose the next weight: left and right between layers, up and down through a layer. The first key chooses the first weight. */
  key(event) {
    if (!/^(Arrow(Left|Right|Up|Down)|Enter| )$/.test(event.key)) return;
    event.preventDefault();
    if (!this.chosen) return this.choose({layer: 0, row: 0, column: 0});
    const at = this.chosen;
    const count = (l) => this.weights[l].length * this.weights[l][0].length;
    let {layer} = at, index = at.row * this.weights[layer][0].length + at.column;
    if (event.key === 'ArrowLeft') layer = Math.max(0, layer - 1);
    else if (event.key === 'ArrowRight') layer = Math.min(this.weights.length - 1, layer + 1);
    else if (event.key === 'ArrowUp') index -= 1;
    else if (event.key === 'ArrowDown') index += 1;
    index = Math.max(0, Math.min(count(layer) - 1, index));
    const inputs = this.weights[layer][0].length;
    this.choose({layer, row: Math.floor(index / inputs), column: index % inputs});
  }
}

const nameOfWeight = ({layer, row, column}) => `W(${layer + 1})${sub(row + 1)},${sub(column + 1)}`;
