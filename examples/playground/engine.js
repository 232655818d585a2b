'use strict';
// The functions of playground.cpp, with JavaScript's arrays and errors.

class Engine {
  static async load() {
    const engine = new Engine();
    engine.module = await makeEngine();
    return engine;
  }

  /** Throws what the library said, unless the call succeeded. */
  check(succeeded) {
    if (succeeded) return;
    const bytes = this.module.HEAPU8, begin = this.module._message();
    throw new Error(new TextDecoder().decode(bytes.slice(begin, bytes.indexOf(0, begin))));
  }
  floats(begin, count) { return this.module.HEAPF32.subarray(begin / 4, begin / 4 + count); }
  doubles(begin, count) { return this.module.HEAPF64.subarray(begin / 8, begin / 8 + count); }

  /** Whether a training in this browser ends with the bits that it has on a processor. */
  selfTest() { return this.module._self_test() === 1; }

  setData({data, count, noise, test, dataSeed}) { this.check(this.module._set_data(data, count, noise, test / 100, dataSeed)); }
  paint(x1, x2, y) { this.module._paint(x1, x2, y); }
  clearPainted() { this.module._clear_painted(); }

  setNet({third, units, activation, loss, seed}) {
    this.module.HEAP32.set(units, this.module._hidden_units() / 4);
    this.check(this.module._set_net(third, units.length, activation, loss, seed));
    this.widths = [third === 0 ? 2 : 3, ...units, 1];
  }
  setTraining({rule, rate, penalty, strength, batch}) { this.check(this.module._set_training(rule, rate, penalty, strength, batch)); }

  step() { this.check(this.module._step()); }
  get steps() { return this.module._steps(); }
  get epochs() { return this.module._epochs(); }
  results() {
    const [trainLoss, testLoss, trainAccuracy, testAccuracy] = this.doubles(this.module._results(), 4);
    return {trainLoss, testLoss, trainAccuracy, testAccuracy};
  }

  /** For each unit, column by column of the net, side x side numbers. */
  surface(side) {
    const units = this.widths.reduce((sum, width) => sum + width, 0), pixels = side * side;
    const all = this.floats(this.module._surface(side), units * pixels);
    return this.widths.map((width, column) => {
      const first = this.widths.slice(0, column).reduce((sum, w) => sum + w, 0);
      return Array.from({length: width}, (_, i) => all.subarray((first + i) * pixels, (first + i + 1) * pixels));
    });
  }

  /** W(l+1) as an array of rows for each layer l, counted from 0. */
  weights() {
    let begin = this.module._weights() / 4;
    const layers = [];
    for (let l = 0; l + 1 < this.widths.length; ++l) {
      const [inputs, outputs] = [this.widths[l], this.widths[l + 1]];
      layers.push(Array.from({length: outputs}, (_, i) => this.module.HEAPF32.subarray(begin + i * inputs, begin + (i + 1) * inputs)));
      begin += outputs * (inputs + 1);
    }
    return layers;
  }

  /** The points; the first trainCount of them are for training. */
  points() {
    const count = this.module._point_count(), numbers = this.doubles(this.module._points(), 3 * count);
    return Array.from({length: count}, (_, i) => ({x1: numbers[3 * i], x2: numbers[3 * i + 1], y: numbers[3 * i + 2]}));
  }
  get trainCount() { return this.module._train_count(); }

  /** The numbers of the chain rule for one sample and one weight (explain.hpp). */
  explain(sample, layer, row, column) {
    const begin = this.module._explain_weight(sample, layer, row, column);
    this.check(begin !== 0);
    const numbers = this.module.HEAPF64;
    let next = begin / 8;
    const take = (count) => Array.from({length: count}, () => numbers[next++]);
    const [J, y, prediction, above, below, h, gradient] = take(7);
    const x = take(this.widths[0]);
    const layers = [];
    for (let l = 0; l + 1 < this.widths.length; ++l) {
      const [inputs, outputs] = [this.widths[l], this.widths[l + 1]];
      const units = Array.from({length: outputs}, () => take(4));
      const weight = Array.from({length: outputs}, () => take(inputs)), bias = take(outputs), [norm] = take(1);
      layers.push({z: units.map((u) => u[0]), a: units.map((u) => u[1]), slope: units.map((u) => u[2]), delta: units.map((u) => u[3]), weight, bias, norm});
    }
    return {J, y, prediction, h, gradient, central: (above - below) / (2 * h), above, below, x, layers};
  }
}
