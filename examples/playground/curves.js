'use strict';
// The loss J of training and test points, epoch by epoch. Both axes grow with the numbers.

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
    const width = this.canvas.clientWidth, height = 150, left = 44, right = 12, top = 24, bottom = 22;
    const context = prepare(this.canvas, width, height);
    const lastEpoch = Math.max(1, this.all.at(-1)?.epoch ?? 1);
    let largest = 1e-6;
    for (const {trainLoss, testLoss} of this.all) largest = Math.max(largest, trainLoss, testLoss || 0);
    const x = (epoch) => left + (width - left - right) * epoch / lastEpoch, y = (J) => height - bottom - (height - top - bottom) * J / largest;

    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    context.strokeStyle = ink.line;
    context.lineWidth = 1;
    context.fillStyle = ink.soft;
    context.textAlign = 'right';
    for (const share of [0, 0.5, 1]) {
      const py = Math.round(y(share * largest)) + 0.5;
      context.beginPath();
      context.moveTo(left, py), context.lineTo(width - right, py);
      context.stroke();
      if (this.all.length > 0) context.fillText(digits(share * largest, 2), left - 6, py);
    }
    context.fillText(`epoch ${Math.round(lastEpoch)}`, width - right, height - 9);
    context.textAlign = 'left';
    context.fillText('0', left, height - 9);
    for (const [name, stroke, dashes] of [['testLoss', ink['low-ink'], [5, 3]], ['trainLoss', ink['high-ink'], []]]) {
      context.strokeStyle = stroke;
      context.lineWidth = 1.8;
      context.setLineDash(dashes);
      context.beginPath();
      this.all.filter((one) => Number.isFinite(one[name])).forEach((one, i) => context[i === 0 ? 'moveTo' : 'lineTo'](x(one.epoch), y(one[name])));
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
