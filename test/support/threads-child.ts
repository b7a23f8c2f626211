// usage: node --import tsx threads-child.ts
// Opens a session that chooses its own number of threads and prints the cores that each thread of this process may use.
import { readdirSync, readFileSync } from 'node:fs';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { addModel } from './add-model.ts';

const session = await onnxruntime.open(encodeModel(addModel()), { device: 'cpu', threads: 0 });
const threads = readdirSync('/proc/self/task').map(
  (id) => readFileSync(`/proc/self/task/${id}/status`, 'utf8').match(/^Cpus_allowed_list:\s*(\S+)$/m)?.[1],
);
await session.close();
console.log(JSON.stringify([...new Set(threads)]));
