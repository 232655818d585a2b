'use strict';
// Small helpers for the page: elements, numbers as text, canvases.

const byId = (id) => document.getElementById(id);

/** Makes an element. Children are elements or text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat());
  return element;
}

/** A number with `places` digits, with a real minus sign and powers of 10 as superscripts. */
function digits(x, places = 4) {
  if (Number.isNaN(x)) return 'not a number';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  const size = Math.abs(x), withPower = size !== 0 && (size < 1e-3 || size >= 1e5);
  const [number, power] = (withPower ? x.toExponential(Math.max(1, places - 2)) : x.toPrecision(places)).split('e');
  const short = number.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '').replace('-', '−');
  if (power === undefined) return short;
  return `${short}·10${power.replace('+', '').replace(/[-\d]/g, (c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]))}`;
}

/** Prepares a canvas for a drawing of this many CSS pixels, sharp on every screen; returns its context. */
function prepare(canvas, width, height) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
