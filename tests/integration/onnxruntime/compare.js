// compare.js FOLDER: runs the models listed in FOLDER/list by write_models in onnxruntime and prints for each the difference from our
// predictions: the largest |theirs - ours| over all outputs and samples, divided by the largest |ours| if this is above 1; for a model in
// integers, divided by the step of its outputs, which is at most 1. Exit code 1 if a difference is larger than rounding explains.
const fs = require('fs');
const ort = require('onnxruntime-node');

const folder = process.argv[2];
const limits = { float32: 1e-5, float64: 1e-10, int8: 1.001 }; // 1e-10, because ONNX stores an epsilon as a float

async function difference(line) {
  const [name, type, batch, inputs, outputs, input, output, step] = line.split(' ');
  const [rows, columns, results] = [batch, inputs, outputs].map(Number);
  const session = await ort.InferenceSession.create(`${folder}/${name}.onnx`, { logSeverityLevel: 3 });
  const bytes = fs.readFileSync(`${folder}/${name}.numbers`);
  const numbers = new (type === 'float32' ? Float32Array : Float64Array)(new Uint8Array(bytes).buffer);
  const x = new ort.Tensor(type, numbers.slice(0, rows * columns), [rows, columns]);
  const y = (await session.run({ [input]: x }))[output];
  if (y.type !== type || y.dims.join() !== [rows, results].join()) throw new Error(`${name}: gives ${y.type} of ${y.dims}`);
  const expected = numbers.slice(rows * columns);
  const size = step ? Number(step) : expected.reduce((most, ours) => Math.max(most, Math.abs(ours)), 1);
  const worst = expected.reduce((most, ours, i) => {
    const off = Math.abs(y.data[i] - ours) / size;
    return off <= most ? most : off;  // NaN counts
  }, 0);
  return { name, type: step ? 'int8' : type, worst };
}

(async () => {
  const worst = { float32: 0, float64: 0, int8: 0 };
  let failures = 0;
  for (const line of fs.readFileSync(`${folder}/list`, 'utf8').trim().split('\n')) {
    const one = await difference(line);
    // A GELU of doubles has its erf in float, because onnxruntime has no other. Where tanh is steep, an integer z that is off by one changes
    // the entry of its table by several steps, and so the outputs by up to two.
    const special = { activation_GELU_double: 1e-6, quantized_tables: 2.001 };
    const limit = special[one.name] ?? limits[one.type];
    const good = one.worst <= limit;
    if (!good) failures += 1;
    if (limit === limits[one.type]) worst[one.type] = Math.max(worst[one.type], one.worst);
    console.log(`${one.worst.toExponential(1).padStart(8)}  ${one.name}${good ? '' : '  TOO FAR'}`);
  }
  console.log(`worst difference to onnxruntime ${require('onnxruntime-node/package.json').version}: ` +
    `${worst.float32.toExponential(1)} in float, ${worst.float64.toExponential(1)} in double, ${worst.int8.toFixed(3)} steps in int8`);
  process.exitCode = failures === 0 ? 0 : 1;
})().catch((error) => {
  console.error(String(error));
  process.exitCode = 1;
});
