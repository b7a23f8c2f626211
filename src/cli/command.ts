import type { Command } from 'commander';

/** One verb of the CLI. Adding one = one file and one registry line. */
export interface CliCommand {
  /** Adds the verb, its options and its action. */
  add(program: Command, io: CliIo): void;
}

/** What a command may touch besides files: its two streams and the stop signal. */
export interface CliIo {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly signal: AbortSignal;
}
