import type { CliCommand } from '../command.ts';

/** `retort inspect`: the cards of models and datasets. */
export const inspect: CliCommand = {
  add(program, io) {
    program
      .command('inspect')
      .description('shows what a model or a dataset is')
      .argument('<file...>', 'an ONNX model, or the files of a dataset')
      .option('--json', 'as JSON')
      .action((files: string[]) => {
        io.out.write(`${files.join()}\n`);
      });
  },
};
