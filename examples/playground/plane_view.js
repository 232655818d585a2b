'use strict';
// The plane: what the net answers everywhere, as colours, and the points. Class 1 is a disc, class 0 a diamond; test points are hollow.

class PlaneView {
  static plane = 3;  // as in data_sets.hpp

  /** `pick` is called with the coordinates where the user clicks, drags or presses Enter. */
  constructor(canvas, pick) {
    Object.assign(this, {canvas, pick, picture: new Pictures(), layer: document.createElement('canvas'), cursor: null});
    let down = false;
    const pickAt = (event, dragged) => {
      const box = canvas.getBoundingClientRect();
      this.size = box.width;
      const x1 = this.coordinate(event.clientX - box.left), x2 = -this.coordinate(event.clientY - box.top);
      if (Math.abs(x1) <= PlaneView.plane && Math.abs(x2) <= PlaneView.plane) pick(x1, x2, dragged);
    };
    canvas.addEventListener('pointerdown', (event) => {
      down = true;
      this.last = [event.clientX, event.clientY];
      pickAt(event, false);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!down || !event.buttons || Math.hypot(event.clientX - this.last[0], event.clientY - this.last[1]) < 10) return;
      this.last = [event.clientX, event.clientY];
      pickAt(event, true);
    });
    window.addEventListener('pointerup', () => { down = false; });
    canvas.addEventListener('keydown', (event) => {
      const move = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
      this.cursor ??= [0, 0];
      if (move) this.cursor = this.cursor.map((c, i) => Math.max(-PlaneView.plane, Math.min(PlaneView.plane, c + 0.2 * move[i])));
      else if (event.key === 'Enter' || event.key === ' ') pick(...this.cursor, false);
      else return;
      event.preventDefault();
      this.redraw?.();
    });
    canvas.addEventListener('blur', () => {
      this.cursor = null;
      this.redraw?.();
    });
  }

  place(coordinate) { return (coordinate / PlaneView.plane + 1) / 2 * this.size; }
  coordinate(place) { return (2 * place / this.size - 1) * PlaneView.plane; }

  draw({surface, side, points, trainCount, sample}) {
    this.redraw = () => this.draw({surface, side, points, trainCount, sample});
    const size = this.size = this.canvas.clientWidth, context = prepare(this.canvas, size, size);
    this.picture.arrange(1, 1, side);
    this.picture.paint(0, 0, surface, (v) => 2 * v - 1);
    this.picture.finish();
    context.imageSmoothingEnabled = true;
    context.globalAlpha = 0.65;  // so that points stand out
    this.picture.draw(context, 0, 0, 0, 0, size);
    context.globalAlpha = 1;
    this.drawPoints(points, trainCount);
    context.drawImage(this.layer, 0, 0, size, size);
    if (points[sample]) {
      context.strokeStyle = ink.text;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(this.place(points[sample].x1), this.place(-points[sample].x2), 9, 0, 2 * Math.PI);
      context.stroke();
    }
    if (this.cursor) {
      const [x, y] = [this.place(this.cursor[0]), this.place(-this.cursor[1])];
      context.strokeStyle = ink.text;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x - 12, y), context.lineTo(x + 12, y), context.moveTo(x, y - 12), context.lineTo(x, y + 12);
      context.stroke();
    }
  }

  /** Draws the points on a layer of their own, if they, their size or their colours have changed. */
  drawPoints(points, trainCount) {
    const drawn = [points, trainCount, this.canvas.width, ink.card];
    if (this.drawn?.every((part, i) => part === drawn[i])) return;
    this.drawn = drawn;
    const context = prepare(this.layer, this.size, this.size);
    points.forEach((point, i) => this.drawPoint(context, point, i >= trainCount));
  }

  drawPoint(context, {x1, x2, y}, isTest) {
    const px = this.place(x1), py = this.place(-x2), r = 3.6;
    context.beginPath();
    if (y >= 0.5) {
      context.arc(px, py, r, 0, 2 * Math.PI);
    } else {
      context.moveTo(px, py - r - 1), context.lineTo(px + r + 1, py), context.lineTo(px, py + r + 1), context.lineTo(px - r - 1, py);
      context.closePath();
    }
    context.fillStyle = isTest ? ink.card : colour(2 * y - 1);
    context.fill();
    context.lineWidth = 1.2;
    const isBetween = Math.abs(2 * y - 1) < 0.9;  // of a surface, in a colour that may be that of the plane
    context.strokeStyle = isBetween ? ink.soft : isTest ? colour(2 * y - 1) : ink.card;
    context.stroke();
  }
}
