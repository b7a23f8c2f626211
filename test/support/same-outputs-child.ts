import { readFileSync } from 'node:fs';
import { sameOutputs } from './same-outputs.ts';

// Compares one file in a process of its own, for models that need a special environment. argv: file, sizes as JSON.
const [file, sizes] = process.argv.slice(2) as [string, string];
console.log(`compared ${await sameOutputs(readFileSync(file), JSON.parse(sizes))}`);
