import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SourceFile, sourceFiles } from '../../support/source-files.ts';

/** ARCHITECTURE.md as tests: arrows point one way, core is pure, each engine has one door. */

const files = sourceFiles();

/** What each layer may import besides itself; `errors.ts` is everyone's. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  data: ['core'],
  spec: ['core', 'data'],
  pipeline: ['core', 'data', 'spec'],
  service: ['core', 'data', 'spec', 'pipeline'],
  adapters: ['core', 'data', 'spec', 'pipeline', 'service'],
  contract: ['core', 'data', 'spec'],
  // Types of the reports it downloads, besides the contract.
  client: ['core', 'data', 'spec', 'pipeline', 'contract'],
  web: ['client'],
  api: ['core', 'data', 'spec', 'pipeline', 'service', 'contract'],
  // Composition roots: they choose the adapters.
  workers: ['core', 'data', 'spec', 'pipeline', 'service', 'adapters'],
  cli: ['core', 'data', 'spec', 'pipeline', 'service', 'contract', 'adapters', 'client', 'api', 'workers'],
};

/** Packages by the folder that may import them; a longer folder goes before a shorter one. */
const doors: readonly (readonly [pattern: RegExp, folders: readonly string[]])[] = [
  [/^onnxruntime-/, ['src/adapters/runtime/', 'src/adapters/kernels/onnxruntime']],
  [/^@tensorflow\//, ['src/adapters/kernels/tfjs/']],
  [/^sharp$/, ['src/adapters/images/']],
  [/^(commander|cli-progress)$/, ['src/cli/']],
  [/^(tar-stream|yauzl|csv-parse)/, ['src/data/']],
  [/^(bullmq|ioredis)/, ['src/adapters/queue/']],
  [/^@aws-sdk\//, ['src/adapters/storage/']],
  [/^(fastify|@fastify\/|@tus\/)/, ['src/api/']],
  [/^pino$/, ['src/log.ts']],
  [/^prom-client$/, ['src/api/']],
];

/** Files that stand beside the layers. */
const shared: ReadonlySet<string> = new Set(['src/errors.ts', 'src/config.ts', 'src/log.ts']);

const layerOf = (path: string): string =>
  path.startsWith('src/') ? path.split('/')[1]! : path.split('/')[0]!;
const packages = (file: SourceFile): string[] =>
  file.imports.filter((each) => each.file === undefined).map((each) => each.specifier);

test('there are files to look at, and their imports are seen', () => {
  assert.ok(files.length > 100, `${files.length} files`);
  assert.ok(files.flatMap((file) => file.imports).length > files.length);
});

test('every layer is known', () => {
  const unknown = files
    .map((file) => layerOf(file.path))
    .filter((layer) => !(layer in allowed || shared.has(`src/${layer}`)));
  assert.deepEqual([...new Set(unknown)], []);
});

test('arrows point one way: core <- data <- spec <- pipeline <- service <- { adapters, api, workers, cli }', () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ file: to }) => {
        if (to === undefined || to === 'src/errors.ts') return false;
        if (shared.has(file.path)) return !shared.has(to);
        if (shared.has(to)) return !['adapters', 'api', 'cli', 'workers'].includes(layerOf(file.path));
        const [from, target] = [layerOf(file.path), layerOf(to)];
        return from !== target && !(allowed[from] ?? []).includes(target);
      })
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  assert.deepEqual(wrong, []);
});

test('imports name files that exist, with their extension', () => {
  const known = new Set(files.map((file) => file.path));
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ file: to }) => to && /^(src|workers)\//.test(to) && !known.has(to))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  assert.deepEqual(wrong, []);
});

test('core is pure: no package but typebox, nothing of Node, no clock, no chance', () => {
  const core = files.filter((file) => file.path.startsWith('src/core/'));
  const impure = core.flatMap((file) => [
    ...packages(file)
      .filter((name) => !/^typebox(\/|$)/.test(name))
      .map((name) => `${file.path} imports ${name}`),
    ...[
      ...code(file.text).matchAll(
        /\b(Math\.random|Date\.now|new Date|performance\.now|process\.|setTimeout)\b/g,
      ),
    ].map(([used]) => `${file.path} uses ${used}`),
  ]);
  assert.deepEqual(impure, []);
});

test('the dataset contract is pure, and data reads no files by itself', () => {
  const data = files.filter((file) => file.path.startsWith('src/data/'));
  const wrong = data.flatMap((file) =>
    packages(file)
      .filter((name) => /^node:(fs|child_process|worker_threads|net|http)/.test(name))
      .map((name) => `${file.path} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('the client runs in browsers: what it needs at run time holds nothing of Node and no package', () => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set(files.filter(({ path }) => path.startsWith('src/client/')).map(({ path }) => path));
  assert.ok(reached.size > 10);
  const wrong: string[] = [];
  // A set that grows while it is walked is walked to its end.
  for (const path of reached) {
    const { imports, text } = byPath.get(path)!;
    for (const { file, specifier, typeOnly } of imports) {
      if (typeOnly) continue;
      if (file === undefined) wrong.push(`${path} imports ${specifier}`);
      else reached.add(file);
    }
    for (const [used] of code(text).matchAll(/\b(process\.|Buffer\b|require\(|__dirname|setImmediate\b)/g)) {
      wrong.push(`${path} uses ${used}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('each engine and library has one door', () => {
  const wrong = files.flatMap((file) =>
    packages(file)
      .filter((name) => {
        const door = doors.find(([pattern]) => pattern.test(name));
        return door && !door[1].some((folder) => file.path.startsWith(folder));
      })
      .map((name) => `${file.path} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('nothing at run time imports in a circle', () => {
  const next = new Map(
    files.map((file) => [
      file.path,
      file.imports.filter((each) => !each.typeOnly && each.file).map((each) => each.file!),
    ]),
  );
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const to of next.get(path) ?? []) walk(to, [...trail, path]);
    done.add(path);
  };
  for (const path of next.keys()) walk(path, []);
  assert.deepEqual(circles, []);
});

/** The text without comments. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
