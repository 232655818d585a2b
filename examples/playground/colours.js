'use strict';
// Colours for numbers from -1 (amber) to 1 (violet): a pair that people with any colour vision can tell apart.

const dark = window.matchMedia('(prefers-color-scheme: dark)');
let palette = [];  // 256 colours as 32-bit pixels
let ink = {};      // colours of the style sheet, for canvases

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const rgb = (name) => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16));
  const [low, middle, high] = ['--low', '--middle', '--high'].map(rgb);
  palette = new Uint32Array(256);
  for (let i = 0; i < 256; ++i) {
    const t = i / 127.5 - 1, end = t < 0 ? low : high, share = Math.abs(t) ** 0.8;
    const [r, g, b] = middle.map((m, k) => Math.round(m + (end[k] - m) * share));
    palette[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  for (const name of ['text', 'soft', 'line', 'card', 'low', 'high', 'low-ink', 'high-ink', 'accent']) ink[name] = style.getPropertyValue(`--${name}`).trim();
}

const pixel = (t) => palette[Math.max(0, Math.min(255, Math.round(127.5 * (t + 1)) || 0))];
function colour(t) {
  const p = pixel(t);
  return `rgb(${p & 255}, ${(p >> 8) & 255}, ${(p >> 16) & 255})`;
}

/** Pictures of side x side numbers, in columns and rows of one canvas, so that all reach the screen at once. */
class Pictures {
  canvas = document.createElement('canvas');

  arrange(columns, rows, side) {
    const width = columns * side, height = rows * side;
    if (this.image?.width === width && this.image.height === height) return;
    Object.assign(this.canvas, {width, height});
    this.side = side;
    this.image = this.canvas.getContext('2d').createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    // How many pixels at both ends of a row are left out, for round corners.
    const radius = side / 8;
    this.indents = Array.from({length: side}, (_, y) => {
      const up = radius - 0.5 - Math.min(y, side - 1 - y);
      return up > 0 ? Math.round(radius - Math.sqrt(radius * radius - up * up)) : 0;
    });
  }

  /** Paints numbers, which `scaled` turns into -1 to 1. */
  paint(column, row, numbers, scaled, isRound) {
    const {side, image, pixels} = this;
    for (let y = 0; y < side; ++y) {
      const from = y * side, to = (row * side + y) * image.width + column * side, indent = isRound ? this.indents[y] : 0;
      for (let x = indent; x < side - indent; ++x) pixels[to + x] = pixel(scaled(numbers[from + x]));
    }
  }

  /** Makes what was painted visible to `draw`. */
  finish() { this.canvas.getContext('2d').putImageData(this.image, 0, 0); }

  draw(context, column, row, x, y, size) {
    context.drawImage(this.canvas, column * this.side, row * this.side, this.side, this.side, x, y, size, size);
  }
}
