'use strict';
// The loss J of training and test points, epoch by epoch, on a logarithmic scale. Both axes grow with the numbers.

class Curves {
  static most = 600;  // points of a curve; where there are more, every second one goes

  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
  }
  clear() {
    this.all = [];
    this.every = 0;
  }

  add(epoch, {trainLoss, testLoss}) {
    const last = this.all.at(-1);
    if (last && epoch - last.epoch < this.every) return;
    if (!Number.isFinite(trainLoss)) return;
    this.all.push({epoch, trainLoss, testLoss});
    if (this.all.length <= Curves.most) return;
    this.all = this.all.filter((_, i) => i % 2 === 0);
    this.every = (this.all.at(-1).epoch - this.all[0].epoch) / this.all.length;
  }

  draw() {
    const width = this.canvas.clientWidth, height = 220, left = 44, right = 12, top = 24, bottom = 22;
    const context = prepare(this.canvas, width, height);
    const lastEpoch = Math.max(1, this.all.at(-1)?.epoch ?? 1);
    let [low, high] = [Infinity, 1e-9];
    for (const {trainLoss, testLoss} of this.all) {
      for (const J of [trainLoss, testLoss]) if (J > 0 && Number.isFinite(J)) [low, high] = [Math.min(low, J), Math.max(high, J)];
    }
    const top10 = Math.ceil(Math.log10(high)), bottom10 = Math.max(top10 - 8, Math.min(top10 - 2, Math.floor(Math.log10(low))));
    const x = (epoch) => left + (width - left - right) * epoch / lastEpoch;
    const y = (power) => top + (height - top - bottom) * Math.max(0, Math.min(1, (top10 - power) / (top10 - bottom10)));

    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    context.strokeStyle = ink.line;
    context.lineWidth = 1;
    context.fillStyle = ink.soft;
    context.textAlign = 'right';
    for (let power = bottom10; power <= top10; power += top10 - bottom10 > 4 ? 2 : 1) {
      const py = Math.round(y(power)) + 0.5;
      context.beginPath();
      context.moveTo(left, py), context.lineTo(width - right, py);
      context.stroke();
      context.fillText(power < -2 ? digits(10 ** power, 1).replace(/^1·/, '') : String(10 ** power), left - 6, py);
    }
    context.fillText(`epoch ${Math.round(lastEpoch)}`, width - right, height - 9);
    context.textAlign = 'left';
    context.fillText('0', left, height - 9);
    for (const [name, stroke, dashes] of [['testLoss', ink['low-ink'], [5, 3]], ['trainLoss', ink['high-ink'], []]]) {
      context.strokeStyle = stroke;
      context.lineWidth = 1.8;
      context.setLineDash(dashes);
      context.beginPath();
      this.all.filter((one) => one[name] >= 0 && Number.isFinite(one[name])).forEach((one, i) => context[i === 0 ? 'moveTo' : 'lineTo'](x(one.epoch), y(Math.log10(one[name]))));
      context.stroke();
    }
    this.legend(context, width - right);
  }

  legend(context, right) {
    let x = right;
    for (const [text, stroke, dashes] of [['test', ink['low-ink'], [5, 3]], ['training', ink['high-ink'], []]]) {
      context.textAlign = 'right';
      context.fillText(text, x, 9);
      x -= context.measureText(text).width + 6;
      context.strokeStyle = stroke;
      context.setLineDash(dashes);
      context.beginPath();
      context.moveTo(x - 22, 9), context.lineTo(x, 9);
      context.stroke();
      x -= 38;
    }
    context.setLineDash([]);
  }
}
