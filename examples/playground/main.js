'use strict';
// Puts the page together: settings, training, drawings.

const side = 48;         // numbers in a row of each picture
const frameTime = 1000 / 60;  // milliseconds of a frame
let engine, settings, netView, planeView, curves, chain;
let playing = false, results = {}, points = [], frame = 0, lastTime = 0;
let trainMilliseconds = 4, drawMilliseconds = 4;  // of a frame

function showMessage(text) {
  byId('message').hidden = text === '';
  byId('message').textContent = text;
}

/** Calls f; shows the sentence of what it throws. */
function attempt(f) {
  try {
    f();
    return true;
  } catch (error) {
    showMessage(error.message);
    return false;
  }
}

function setData() {
  engine.setData(settings.values);
  points = engine.points();
}

/** New points and new weights, from the seeds. */
function restart() {
  attempt(() => {
    setData();
    engine.setNet(settings.values);
    engine.setTraining(settings.values);
    curves.clear();
    showMessage('');
  });
  measure();
}

/** Measures and draws what the weights of now give; whether J is still a number. */
function measure() {
  results = engine.results();
  curves.add(engine.epochs, results);
  draw();
  if (engine.trainCount === 0 || Number.isFinite(results.trainLoss)) return true;
  showMessage('J is not a finite number any more: the learning rate is too large. Choose a smaller one and start over.');
  return false;
}

/** What a setting changes: points and net begin anew; the optimizer goes on from the weights of now. */
function changed(what) {
  const {values} = settings;
  byId('painting').hidden = values.data !== 5;
  byId('plane').classList.toggle('painted', values.data === 5);
  for (const id of ['count', 'noise', 'dataSeed']) settings.fields[id].disabled = values.data === 5;
  settings.fields.strength.disabled = values.penalty === 0;
  for (const element of document.querySelectorAll('.accuracy')) element.hidden = values.data === 4;
  if (what === 'training') {
    attempt(() => engine.setTraining(values));
    measure();
  } else {
    restart();
  }
}

function setPlaying(on) {
  playing = on;
  byId('play').textContent = on ? 'Pause' : 'Play';
  if (on) {
    openChain(false);
    requestAnimationFrame(tick);
  } else {
    tellNumbers();
  }
}

/** Trains `count` steps, or until the time is over; whether all went well. */
function train(count, until = Infinity) {
  return attempt(() => {
    for (let i = 0; i < count && performance.now() < until; ++i) engine.step();
  });
}

const stepsOfEpoch = () => Math.max(1, Math.ceil(engine.trainCount / settings.values.batch));

/** One frame: trains, then draws. Trains a little longer after each frame that was in time, and less after one that was late. */
function tick(time) {
  if (!playing) return;
  const start = performance.now(), wasLate = time - lastTime > 1.15 * frameTime;
  trainMilliseconds = Math.max(1, Math.min(8, trainMilliseconds + (wasLate ? -0.5 : 0.1)));
  lastTime = time;
  const count = [1, stepsOfEpoch(), Infinity][settings.values.speed];
  const trains = train(count, start + trainMilliseconds);
  const trained = performance.now();
  if (!measure() || !trains) setPlaying(false);
  drawMilliseconds += 0.2 * (performance.now() - trained - drawMilliseconds);
  ++frame;
  if (playing) requestAnimationFrame(tick);
}

function draw() {
  const {values} = settings, surfaces = engine.surface(side);
  chain.fit(engine.widths, points.length);
  const chosen = chain.isOpen ? chain.weight : null;
  netView.draw({widths: engine.widths, weights: engine.weights(), surfaces, side, activation: values.activation, third: values.third, chosen,
    shown: chain.isOpen ? (chain.steps?.[Math.min(chain.at, chain.steps.length - 1)]?.l ?? 0) - 1 : -1});
  planeView.draw({surface: surfaces.at(-1)[0].slice(), side, points, trainCount: engine.trainCount, sample: chain.isOpen ? chain.sample : -1});
  curves.draw();
  if (!playing || frame % 6 === 0) tellNumbers();  // ten times a second, so that they can be read
}

function tellNumbers() {
  const {values} = settings;
  const text = {epochs: engine.epochs.toFixed(engine.epochs < 100 ? 1 : 0), steps: String(engine.steps), 'train-loss': digits(results.trainLoss, 3),
    'test-loss': digits(results.testLoss, 3), 'train-accuracy': percent(results.trainAccuracy), 'test-accuracy': percent(results.testAccuracy)};
  for (const [id, value] of Object.entries(text)) byId(id).textContent = value;
  const learned = values.data === 4 || points.length === 0 ? `J of training is ${text['train-loss']}` :
    `${percent(results.trainAccuracy)} of the training points are classified correctly`;
  byId('plane').setAttribute('aria-label', `The plane with ${points.length} points; ${learned}`);
  byId('net').setAttribute('aria-label', `The net ${engine.widths.join('-')}. Arrow keys choose a weight and show its gradient.`);
  byId('curves').setAttribute('aria-label', `Loss of training ${text['train-loss']}, of test ${text['test-loss']}, after ${text.epochs} epochs`);
  byId('plane-caption').textContent = [
    values.data === 5 ? 'Click or drag to paint; with the keyboard, arrows and Enter.' :
      values.data === 4 ? 'Discs are targets above one half, diamonds below;' : 'Discs are class 1, diamonds class 0;',
    values.data === 5 ? '' : 'hollow ones are for the test. Choose a point for the chain rule.'].join(' ');
}

const percent = (share) => (Number.isNaN(share) ? 'none' : `${(100 * share).toFixed(1)} %`);

function openChain(open) {
  chain.isOpen = open;
  byId('chain').hidden = !open;
  byId('open-chain').textContent = open ? 'Hide it' : 'Show it';
  byId('open-chain').setAttribute('aria-expanded', String(open));
  if (open) {
    setPlaying(false);
    updateChain();
  }
}

function updateChain() {
  if (chain.isOpen) attempt(() => chain.render(engine, settings.values.activation, settings.values.loss));
  draw();
}

/** A point is painted, or the nearest one is chosen for the chain rule. */
function pick(x1, x2, dragged) {
  if (settings.values.data === 5) {
    engine.paint(x1, x2, Number(document.querySelector('[name="class"]:checked').value));
    attempt(setData);
    showMessage('');
    measure();
    if (chain.isOpen) updateChain();
  } else if (!dragged && points.length > 0) {
    const distance = (p) => Math.hypot(p.x1 - x1, p.x2 - x2);
    chain.sample = points.reduce((best, p, i) => (distance(p) < distance(points[best]) ? i : best), 0);
    openChain(true);
  }
}

function showVanishing() {
  settings.set({units: [4, 4, 4, 4, 4, 4], activation: 0, third: 0});
  changed('net');
  chain.weight = {layer: 0, row: 0, column: 0};
  chain.at = Infinity;
  openChain(true);
}

async function start() {
  engine = await Engine.load();
  const same = engine.selfTest();
  byId('self-test').textContent = same ? '✓ same bits as the native library' : '✗ other bits than the native library';
  byId('self-test').title = 'A training of 100 steps, made in this browser just now, ends with ' + (same ? 'exactly the weights' : 'other weights than those') + ' that the C++ library computes on a processor.';
  byId('self-test').dataset.same = same;
  readColours();
  settings = new Settings(byId('settings'), byId('layers'), (what) => {
    changed(what);
    if (chain.isOpen) updateChain();
  });
  netView = new NetView(byId('net'), byId('net-caption'), (weight) => {
    chain.weight = weight;
    chain.at = Infinity;
    openChain(true);
    netView.tell(weight);
  });
  planeView = new PlaneView(byId('plane'), pick);
  curves = new Curves(byId('curves'));
  chain = new ChainRule(byId('chain'), updateChain);
  changed('data');
  netView.tell(null);
  const scale = Float32Array.from({length: 256}, (_, i) => i / 127.5 - 1);
  const paintScale = () => scale.forEach((t, i) => {
    const context = byId('scale-bar').getContext('2d');
    context.fillStyle = colour(t);
    context.fillRect(i, 0, 1, 1);
  });
  paintScale();

  const afterPause = (f) => () => {
    setPlaying(false);
    f();
    measure();
    if (chain.isOpen) updateChain();
  };
  byId('play').addEventListener('click', () => setPlaying(!playing));
  byId('one-step').addEventListener('click', afterPause(() => train(1)));
  byId('one-epoch').addEventListener('click', afterPause(() => train(stepsOfEpoch())));
  byId('restart').addEventListener('click', afterPause(restart));
  byId('open-chain').addEventListener('click', () => {
    openChain(!chain.isOpen);
    draw();
  });
  byId('vanish').addEventListener('click', showVanishing);
  byId('clear').addEventListener('click', () => {
    engine.clearPainted();
    restart();
  });
  dark.addEventListener('change', () => {
    readColours();
    paintScale();
    updateChain();
  });
  new ResizeObserver(draw).observe(document.querySelector('main'));
  document.body.dataset.ready = 'true';
}

start().catch((error) => {
  showMessage(`The playground cannot start: ${error.message}`);
  throw error;
});
