import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One file of src/ or workers/ as the architecture tests see it. */
export interface SourceFile {
  /** From the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written: a package, node:..., or a relative path. */
  readonly specifier: string;
  /** The file it names, from the repository root; undefined for packages. */
  readonly file?: string;
  /** Erased before running (import type). */
  readonly typeOnly: boolean;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Every TypeScript file of src/ and workers/, sorted. */
export function sourceFiles(): SourceFile[] {
  return ['src', 'workers'].flatMap((name) => {
    const folder = join(root, name);
    if (!existsSync(folder)) throw new Error(`no ${name}/`);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(folder, path))
      .sort()
      .map((file) => {
        const text = readFileSync(file, 'utf8');
        return { path: fromRoot(file), text, imports: [...importsOf(text, file)] };
      });
  });
}

const fromRoot = (file: string): string => relative(root, file).replaceAll('\\', '/');

/** Static imports and re-exports, bare imports, and dynamic imports of a literal. */
const STATEMENT =
  /^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

function* importsOf(text: string, file: string): Iterable<Import> {
  for (const [, type, from, bare, dynamic] of text.matchAll(STATEMENT)) {
    const specifier = (from ?? bare ?? dynamic)!;
    const target = specifier.startsWith('.') ? fromRoot(resolve(dirname(file), specifier)) : undefined;
    yield { specifier, typeOnly: Boolean(type), ...(target === undefined ? {} : { file: target }) };
  }
}
