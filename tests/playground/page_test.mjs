// page_test.mjs FOLDER SERVE CHROMIUM: tests the playground in FOLDER, a copy made by `examples/run playground --out FOLDER`, in a headless
// Chromium. SERVE is examples/playground/serve.py. Prints a line for each thing that is right; ends with exit code 1 at the first that is not.
import {spawn} from 'node:child_process';
import {readdirSync, statSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Browser, Page} from './chromium.mjs';

const [folder, serve, chromium] = process.argv.slice(2);
const right = (text) => console.log(`ok: ${text}`);
function check(condition, text) {
  if (!condition) throw new Error(text);
}

/** Starts the server; `address` is what it says. */
async function start(port) {
  const server = spawn('python3', [serve, folder, '--no-open', '--port', String(port)], {stdio: ['ignore', 'pipe', 'inherit']});
  const said = await new Promise((resolve, reject) => {
    server.stdout.once('data', (data) => resolve(String(data)));
    server.once('error', reject);
    server.once('exit', () => reject(new Error('the server has ended')));
  });
  return {server, said, address: said.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0]};
}

const servers = [];
let browser;
try {
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  check(bytes < 1.5e6, `the page has ${bytes} bytes, more than 1.5 MB`);
  right(`the page and its WebAssembly have ${(bytes / 1e6).toFixed(2)} MB`);

  servers.push(await start(18000));
  servers.push(await start(Number(new URL(servers[0].address).port)));
  check(servers[0].address !== servers[1].address && servers[1].said.includes('is taken'), `the second server says: ${servers[1].said}`);
  right(`served at ${servers[0].address}, and at ${servers[1].address} where this port was taken`);

  browser = new Browser(chromium);
  const {address} = servers[0];
  const page = await Page.open(browser, address, {width: 1280, height: 900});
  check(await page.value(`byId('self-test').dataset.same`) === 'true', 'the self-test finds other bits than the native library');
  right('100 steps in the browser have the bits of the native library');

  // Trains spirals, with the settings that the page starts with: a net 2-8-8-1.
  check(await page.value(`engine.widths.join('-') + ' ' + byId('data').selectedOptions[0].text`) === '2-8-8-1 two spirals', 'the page starts with another net');
  await page.value(`byId('play').click()`);
  const seconds = await page.until('results.trainAccuracy >= 0.95', 30);
  const cpuSeconds = async () => (await page.send('Performance.getMetrics')).metrics.find(({name}) => name === 'ProcessTime').value;
  await page.send('Performance.enable', {timeDomain: 'threadTicks'});
  const before = [...await page.value('[frame, performance.now()]'), await cpuSeconds()];
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const after = [...await page.value('[frame, performance.now()]'), await cpuSeconds()];
  const frames = after[0] - before[0], rate = 1000 * frames / (after[1] - before[1]), [draw, train] = await page.value('[drawMilliseconds, trainMilliseconds]');
  await page.value(`byId('play').click()`);
  check(frames > 2, `only ${frames} frames in 2 s`);
  right(`spirals: 95 % of the training points right after ${seconds.toFixed(1)} s`);
  right(`${rate.toFixed(0)} frames per second while a net 2-8-8-1 trains; of each, ${train.toFixed(1)} ms train and ${draw.toFixed(1)} ms draw; ` +
    `the page's process computes ${(1000 * (after[2] - before[2]) / frames).toFixed(1)} ms a frame`);

  // Buttons: one step, one epoch, back to the start.
  await page.value(`byId('restart').click()`);
  await page.value(`byId('one-step').click()`);
  check(await page.value('engine.steps') === 1, 'Step makes another number of steps than 1');
  await page.value(`byId('restart').click(), byId('one-epoch').click()`);
  check(await page.value('engine.steps') === 24 && await page.value('engine.epochs') === 1, 'Epoch makes another number of steps than 240 / 10');
  await page.value(`byId('restart').click()`);
  check(await page.value('engine.steps') === 0, 'Start over does not begin at step 0');
  right('a step, an epoch, and back to the start');

  // The chain rule: the factors' product is the gradient that is shown, and the central difference agrees.
  const chainIsRight = async (what) => {
    const {factors, gradient, central, count, title} = await page.value(`({
      factors: [...document.querySelectorAll('#factors [data-factor]')].map((cell) => Number(cell.dataset.factor)),
      gradient: Number(byId('gradient').dataset.value), central: Number(byId('central').dataset.value),
      count: chain.steps.length, title: byId('step-title').textContent})`);
    const product = factors.reduce((p, f) => p * f, 1);
    check(Math.abs(product - gradient) <= 1e-9 * Math.abs(gradient), `${what}: the product of the factors is ${product}, the gradient ${gradient}`);
    check(Math.abs(central - gradient) <= 1e-5 * Math.abs(gradient) + 1e-10, `${what}: the central difference is ${central}, the gradient ${gradient}`);
    return {factors: factors.length, gradient, count, title};
  };
  await page.value(`byId('open-chain').click()`);
  const count = (await chainIsRight('the first weight')).count;
  check(count === 3 + 1 + 3 + 1, `${count} steps instead of 8`);
  for (let i = 1; i < count; ++i) {
    await page.value(`byId('next').click()`);
    check((await page.value(`byId('step-title').textContent`)).startsWith(`${i + 1} of ${count}`), `Next does not lead to step ${i + 1}`);
    check(await page.value(`document.querySelectorAll('#step-body td').length`) > 0, `step ${i + 1} shows no numbers`);
  }
  let weights = 0;
  for (const activation of [0, 1, 2, 3, 4]) {
    for (const loss of [0, 1, 2]) {
      await page.value(`settings.set({units: [5, 3, 4], activation: ${activation}, loss: ${loss}, third: ${1 + loss}}); changed('net'); train(20)`);
      for (const [layer, row, column, sample] of [[0, 2, 2, 7], [1, 1, 4, 100], [2, 3, 0, 299], [3, 0, 2, 0]]) {
        await page.value(`chain.sample = ${sample}; chain.choose({layer: ${layer}, row: ${row}, column: ${column}})`);
        await chainIsRight(`activation ${activation}, loss ${loss}, layer ${layer}`);
        ++weights;
      }
    }
  }
  right(`chain rule: ${count} steps; for ${weights} weights the product of the factors is the gradient, and the central difference agrees`);

  await page.value(`byId('vanish').click()`);
  const deep = await chainIsRight('a deep sigmoid net');
  const verdict = await page.value(`byId('flow').textContent`);
  check(deep.factors >= 8 && /it vanishes/.test(verdict), `the deep sigmoid net: ${verdict}`);
  right(`a deep sigmoid net: ${deep.factors} factors; dJ/dW = ${deep.gradient.toExponential(1)}`);

  // Chooses another weight, and goes back a step, by the keyboard alone.
  await page.value(`byId('net').focus()`);
  const weightBefore = await page.value('JSON.stringify(chain.weight)');
  await page.key('ArrowDown');
  check(await page.value('JSON.stringify(chain.weight)') !== weightBefore, 'an arrow key on the net chooses no other weight');
  await page.value(`byId('back').focus()`);
  await page.key('Enter');
  check((await page.value(`byId('step-title').textContent`)).startsWith('15 of'), 'Enter on Back does not go back');
  check(await page.value(`document.activeElement.id`) === 'back', 'the focus is lost after a step');
  right('weights and steps by the keyboard');

  // A loss of test points that is infinite must not keep the curves busy for ever.
  await page.value(`curves.add(1e9, {trainLoss: 3e38, testLoss: Infinity}); curves.draw(); curves.clear()`);
  right('curves of an infinite loss');

  // Paints points, with the mouse and the keyboard, and learns them.
  await page.value(`settings.set({units: [4], activation: 1, loss: 0, third: 0, data: 5, test: 0}); changed('data'); byId('plane').scrollIntoView({block: 'center'})`);
  check(await page.value('points.length') === 0, 'there are points before any is painted');
  await page.value(`byId('play').click()`);
  await page.until('!playing', 5);
  check(/paint/.test(await page.value(`byId('message').textContent`)), 'training without points says nothing');
  const box = await page.value(`(({left, top, width}) => ({left, top, width}))(byId('plane').getBoundingClientRect())`);
  for (const share of [0.1, 0.2, 0.3]) await page.click(box.left + share * box.width, box.top + 0.3 * box.width);
  await page.value(`document.querySelector('[name="class"][value="0"]').click()`);
  for (const share of [0.7, 0.8]) await page.click(box.left + share * box.width, box.top + 0.6 * box.width);
  await page.value(`byId('plane').focus()`);
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown', 'Enter']) await page.key(key);
  const painted = await page.value('points');
  check(painted.length === 6 && painted.filter((p) => p.y === 1).length === 3, `painted ${JSON.stringify(painted)}`);
  await page.value(`byId('play').click()`);
  await page.until('results.trainAccuracy === 1', 20);
  await page.value(`setPlaying(false)`);
  right('six painted points, by mouse and keyboard, are learned');

  // Nonsense in each field.
  await page.value(`settings.set({data: 1, test: 20, units: [4, 4]}); changed('data'); openChain(true)`);
  const nonsense = ['', ' ', 'NaN', '-1', '1e99', 'text', '0x', '1/2', '∞', '99999999999', '3.7.1', '<b>'];
  const told = await page.value(`(() => {
    let told = 0;
    const ids = [...document.querySelectorAll('#settings input, #layers input, #chain input')].map((field) => field.id || field.getAttribute('aria-label'));
    const find = (id) => byId(id) ?? document.querySelector('[aria-label="' + id + '"]');
    for (const id of ids) for (const text of ${JSON.stringify(nonsense)}) {
      const field = find(id), values = JSON.stringify(settings.values) + chain.sample;
      field.disabled = false;
      field.value = text;
      field.dispatchEvent(new Event('change'));
      if (JSON.stringify(settings.values) + chain.sample !== values) throw new Error(id + ' takes ' + text);
      if (byId('message').hidden) throw new Error(id + ' says nothing about ' + text);
      field.dispatchEvent(new Event('blur'));
      ++told;
      train(1);
      if (!measure()) throw new Error('no number after ' + text + ' in ' + id);
    }
    return told;
  })()`);
  await page.value(`settings.set({rate: 100, rule: 1, loss: 1, activation: 2}); changed('net'); changed('training'); byId('play').click()`);
  await page.until('!playing', 20);
  check(/learning rate/.test(await page.value(`byId('message').textContent`)), 'a training that diverges says nothing');
  await page.value('openChain(true)');
  check(/not a finite number/.test(await page.value(`byId('chain').textContent`)), 'the chain rule of a training that diverged says nothing');
  await page.value(`settings.set({rate: 0.01}); changed('training'); byId('restart').click()`);
  check(await page.value('Number.isFinite(results.trainLoss) && byId("message").hidden'), 'after a training that diverged, Start over does not help');
  right(`${told} times nonsense in a field: each is refused with a sentence, and the training goes on; divergence is told`);

  // Extremes of the settings.
  for (const values of ['{units: []}', '{units: [8, 8, 8, 8, 8, 8], third: 3}', '{units: [1], count: 10, test: 90}', '{data: 4, loss: 1}', '{data: 0, noise: 2, penalty: 1}', '{batch: 256, count: 1000}'])
    await page.value(`settings.set(${values}); changed('data'); train(5); if (!measure()) throw new Error('no number'); openChain(true)`);
  right('no hidden layer, six of eight units, few and many points');

  // A phone: nothing is wider than the screen, whatever is open.
  await page.resize(390, 844);
  for (const values of ['{units: [8, 8]}', '{units: [8, 8, 8, 8, 8, 8], activation: 0}', '{units: []}']) {
    await page.value(`settings.set(${values}); changed('net'); openChain(true)`);
    const steps = await page.value('chain.steps.length');
    for (let i = 0; i < steps; ++i) {
      await page.value(`chain.at = ${i}; updateChain()`);
      const [width, table, place] = await page.value(`[document.documentElement.scrollWidth, byId('step-body').scrollWidth, byId('step-body').clientWidth]`);
      check(width <= 390 && table <= place, `at 390 pixels the page is ${width} wide, its table ${table} instead of ${place}, with ${values}, step ${i + 1}`);
    }
  }
  right('at 390 pixels nothing scrolls sideways');

  check(page.problems.length === 0, `the console has: ${page.problems.join(' | ')}`);
  const elsewhere = page.requests.filter((url) => !url.startsWith(address) && !/^(data|blob):/.test(url));
  check(elsewhere.length === 0, `requests to ${elsewhere.join(', ')}`);
  right(`no errors in the console, and ${page.requests.length} requests, all to ${address}`);

  const file = await Page.open(browser, pathToFileURL(join(resolve(folder), 'index.html')).href, {dark: true});
  check(await file.value(`byId('self-test').dataset.same`) === 'true' && file.problems.length === 0, `as a file: ${file.problems.join(' | ')}`);
  right('the page opens as a file too, and in the dark');
} catch (error) {
  console.log(`wrong: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const {server} of servers) server.kill();
  await browser?.close();
}
