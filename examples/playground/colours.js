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

/** Paints side x side numbers, turned into -1 to 1 by `scaled`, on a canvas of this size. */
function paintNumbers(canvas, side, numbers, scaled) {
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext('2d');
  const image = canvas.image ??= context.createImageData(side, side);
  const pixels = canvas.pixels ??= new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; ++i) pixels[i] = pixel(scaled(numbers[i]));
  context.putImageData(image, 0, 0);
}
