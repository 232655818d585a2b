// Drives a headless Chromium by the DevTools protocol, through the pipes 3 and 4, so that nothing but node and Chromium is needed.
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export class Browser {
  /** Starts the program. `close` ends it, and removes its folder. */
  constructor(program) {
    this.folder = mkdtempSync(join(tmpdir(), 'chainrule-browser-'));
    this.process = spawn(program, ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', `--user-data-dir=${this.folder}`, '--remote-debugging-pipe'],
      {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
    this.waiting = new Map();
    this.listeners = [];
    this.count = 0;
    this.over = new Promise((resolve) => this.process.on('exit', resolve));
    this.process.on('error', (error) => this.fail(new Error(`${program} does not start: ${error.message}`)));
    this.over.then(() => this.fail(new Error(`${program} has ended`)));
    let rest = Buffer.alloc(0);
    this.process.stdio[4].on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        this.receive(JSON.parse(rest.subarray(0, end).toString()));
        rest = rest.subarray(end + 1);
      }
    });
    this.process.stdio[3].on('error', () => {});
  }

  fail(error) {
    for (const {reject} of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  receive({id, result, error, method, params}) {
    if (id === undefined) return this.listeners.forEach((listener) => listener(method, params));
    const {resolve, reject} = this.waiting.get(id) ?? {};
    this.waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.count;
    this.process.stdio[3].write(`${JSON.stringify({id, method, params, sessionId})}\0`);
    return new Promise((resolve, reject) => this.waiting.set(id, {resolve, reject}));
  }

  async close() {
    this.send('Browser.close').catch(() => {});
    const late = setTimeout(() => this.process.kill('SIGKILL'), 5000);
    await this.over;
    clearTimeout(late);
    rmSync(this.folder, {recursive: true, force: true, maxRetries: 5});
  }
}

/** A page of the browser. `problems` has what it wrote to the console as errors or warnings, `requests` the addresses that it asked for. */
export class Page {
  static async open(browser, address, {width = 1280, height = 900, dark = false} = {}) {
    const page = new Page();
    const {targetId} = await browser.send('Target.createTarget', {url: 'about:blank'});
    const {sessionId} = await browser.send('Target.attachToTarget', {targetId, flatten: true});
    Object.assign(page, {browser, targetId, sessionId, problems: [], requests: []});
    browser.listeners.push((method, params) => page.listen(method, params));
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`);
    await page.resize(width, height);
    await page.send('Emulation.setEmulatedMedia', {features: [{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'}]});
    await page.send('Page.navigate', {url: address});
    await page.until(`document.body?.dataset.ready === 'true'`, 60);
    return page;
  }

  send(method, params) { return this.browser.send(method, params, this.sessionId); }

  listen(method, params) {
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url);
    if (method === 'Runtime.exceptionThrown') this.problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type))
      this.problems.push(params.args.map((arg) => arg.value ?? arg.description).join(' '));
    if (method === 'Log.entryAdded' && ['error', 'warning'].includes(params.entry.level)) this.problems.push(params.entry.text);
  }

  resize(width, height) {
    return this.send('Emulation.setDeviceMetricsOverride', {width, height, deviceScaleFactor: 1, mobile: width < 600});
  }

  /** The value of an expression in the page; a promise is waited for. */
  async value(expression) {
    const {result, exceptionDetails} = await this.send('Runtime.evaluate', {expression, awaitPromise: true, returnByValue: true});
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  /** Waits until the expression is true; returns the seconds that it took. */
  async until(expression, seconds) {
    const start = Date.now();
    while (!(await this.value(expression))) {
      if (Date.now() - start > 1000 * seconds) throw new Error(`not within ${seconds} s: ${expression}; problems: ${this.problems.join(' | ') || 'none'}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return (Date.now() - start) / 1000;
  }

  async click(x, y) {
    const at = {x, y, button: 'left', buttons: 1, clickCount: 1};
    await this.send('Input.dispatchMouseEvent', {type: 'mousePressed', ...at});
    await this.send('Input.dispatchMouseEvent', {type: 'mouseReleased', ...at, buttons: 0});
  }

  async key(key) {
    const windowsVirtualKeyCode = {Enter: 13, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40, Tab: 9}[key];
    const text = key === 'Enter' ? '\r' : undefined;
    await this.send('Input.dispatchKeyEvent', {type: text ? 'keyDown' : 'rawKeyDown', key, code: key, windowsVirtualKeyCode, text});
    await this.send('Input.dispatchKeyEvent', {type: 'keyUp', key, code: key, windowsVirtualKeyCode});
  }

  /** The bytes of a PNG of the whole page. */
  async picture() {
    const {cssContentSize} = await this.send('Page.getLayoutMetrics');
    const {data} = await this.send('Page.captureScreenshot', {format: 'png', captureBeyondViewport: true,
      clip: {x: 0, y: 0, width: cssContentSize.width, height: cssContentSize.height, scale: 1}});
    return Buffer.from(data, 'base64');
  }
}
