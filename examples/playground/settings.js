'use strict';
// The settings of the page: what they are called, what they may be, and what they are. The places in a list are the numbers of the enums in
// data_sets.hpp, net.hpp and trainer.hpp.

const settingGroups = [
  {title: 'Data', changes: 'data', settings: [
    {id: 'data', label: 'Data set', list: ['circle', 'xor', 'two spirals', 'gaussians', 'a surface', 'paint it'], value: 2},
    {id: 'count', label: 'Points', min: 10, max: 1000, whole: true, value: 300},
    {id: 'noise', label: 'Noise', min: 0, max: 2, value: 0},
    {id: 'test', label: 'Test, %', min: 0, max: 90, value: 20},
    {id: 'dataSeed', label: 'Seed', min: 0, max: 2147483647, whole: true, value: 1},
  ]},
  {title: 'Net', changes: 'net', settings: [
    {id: 'third', label: 'Inputs', list: ['x₁, x₂', 'x₁, x₂, x₁x₂', 'x₁, x₂, x₁²', 'x₁, x₂, x₂²'], value: 0},
    {id: 'activation', label: 'Activation σ', list: ['sigmoid', 'tanh', 'ReLU', 'leaky ReLU', 'identity'], value: 1},
    {id: 'loss', label: 'Loss J', list: ['cross-entropy', 'squared error', 'Huber'], value: 0},
    {id: 'seed', label: 'Seed', min: 0, max: 2147483647, whole: true, value: 1},
  ]},
  {title: 'Training', changes: 'training', settings: [
    {id: 'rule', label: 'Optimizer', list: ['SGD', 'SGD with momentum', 'RMSprop', 'Adam'], value: 3},
    {id: 'rate', label: 'Learning rate', min: 0, max: 100, value: 0.01},
    {id: 'batch', label: 'Batch size', min: 1, max: 256, whole: true, value: 10},
    {id: 'penalty', label: 'Regularization', list: ['none', 'L1', 'L2'], value: 0},
    {id: 'strength', label: 'Its strength', min: 0, max: 10, value: 0.001},
    {id: 'speed', label: 'Speed', list: ['step by step', 'epoch by epoch', 'fast'], value: 2},
  ]},
];

/** Reads a number from text; throws a sentence where it is none, or out of its range. */
function readNumber({label, min, max, whole}, text) {
  const trimmed = text.trim().replace('−', '-');
  const number = trimmed === '' ? NaN : Number(trimmed);
  if (Number.isFinite(number) && number >= min && number <= max && (!whole || Number.isInteger(number))) return number;
  throw new Error(`${label}: expected a ${whole ? 'whole ' : ''}number from ${min} to ${max}, but found “${text.trim().slice(0, 20)}”`);
}

class Settings {
  /** Builds the form. `changed` is called with the name of what a setting changes. */
  constructor(form, layersElement, changed) {
    this.values = {units: [8, 8]};
    this.changed = changed;
    this.layersElement = layersElement;
    this.fields = {};
    form.addEventListener('submit', (event) => event.preventDefault());
    for (const group of settingGroups) {
      const fieldset = make('fieldset', {class: 'card'}, make('legend', {}, group.title));
      for (const setting of group.settings) {
        this.values[setting.id] = setting.value;
        const field = setting.list ? this.makeList(setting, group) : this.makeNumber(setting, group);
        this.fields[setting.id] = field;
        fieldset.append(make('div', {class: 'field'}, make('label', {for: setting.id}, setting.label), field));
      }
      form.append(fieldset);
    }
    this.showLayers();
  }

  makeList(setting, group) {
    const options = setting.list.map((text, i) => make('option', {value: i, selected: i === setting.value}, text));
    const select = make('select', {id: setting.id}, options);
    select.addEventListener('change', () => {
      this.values[setting.id] = select.selectedIndex;
      this.changed(group.changes);
    });
    return select;
  }

  makeNumber(setting, group) {
    const input = make('input', {id: setting.id, type: 'text', inputmode: 'decimal', value: setting.value});
    this.watch(input, setting, () => this.values[setting.id], (number) => {
      this.values[setting.id] = number;
      this.changed(group.changes);
    });
    return input;
  }

  /** A field with nonsense keeps the number from before, and says so. */
  watch(input, setting, current, set) {
    input.addEventListener('change', () => {
      const before = current();
      try {
        set(readNumber(setting, input.value));
        input.removeAttribute('aria-invalid');
        showMessage('');
      } catch (error) {
        input.setAttribute('aria-invalid', 'true');
        showMessage(`${error.message}; it stays ${before}.`);
      }
    });
    input.addEventListener('blur', () => {
      if (!input.hasAttribute('aria-invalid')) return;
      input.value = current();
      input.removeAttribute('aria-invalid');
    });
  }

  /** Sets settings from the program, such as a preset, and shows them. */
  set(values) {
    Object.assign(this.values, values);
    for (const [id, field] of Object.entries(this.fields)) field.value = this.values[id];
    this.showLayers();
  }

  showLayers() {
    const {units} = this.values;
    const change = (next) => {
      this.values.units = next;
      this.showLayers();
      this.changed('net');
    };
    const fields = units.map((width, l) => {
      const input = make('input', {type: 'text', inputmode: 'numeric', value: width, 'aria-label': `Units of hidden layer ${l + 1}`});
      this.watch(input, {label: `Units of hidden layer ${l + 1}`, min: 1, max: 8, whole: true}, () => this.values.units[l], (number) => {
        this.values.units = this.values.units.with ? this.values.units.with(l, number) : this.values.units.map((w, i) => i === l ? number : w);
        this.changed('net');
      });
      return input;
    });
    const button = (id, text, label, disabled, next) =>
      make('button', {id, type: 'button', 'aria-label': label, title: label, disabled, onclick: () => {
        change(next());
        byId(id).focus();
      }}, text);
    this.layersElement.replaceChildren(
      make('span', {}, 'Hidden units'), ...fields,
      button('fewer', '−', 'Remove the last hidden layer', units.length === 0, () => this.values.units.slice(0, -1)),
      button('more', '+', 'Add a hidden layer', units.length === 6, () => [...this.values.units, this.values.units.at(-1) ?? 4]));
  }
}
