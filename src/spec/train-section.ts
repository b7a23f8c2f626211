import Type, { type TObject } from 'typebox';
import { optimizers } from '../core/optimizers/index.ts';
import { schedules } from '../core/schedules/index.ts';
import { closed } from './closed.ts';
import { registryEntry } from './registry-entry.ts';

/** Bounds keep slips of the finger from becoming years of work or all of the memory. */
const upTo = (maximum: number, minimum = 1) => Type.Integer({ minimum, maximum });
const oneOf = (...names: string[]) => Type.Union(names.map((name) => Type.Literal(name)));

export const trainSection = (
  augmentations: Readonly<Record<string, { readonly summary: string; readonly options: TObject }>>,
) =>
  Type.Object(
    {
      kernel: Type.Optional(oneOf('auto', 'onnxruntime', 'tfjs')),
      device: Type.Optional(oneOf('auto', 'cpu', 'cuda')),
      /** Where the teacher runs, if not on `device`. Students never train on WebGPU. */
      teacherDevice: Type.Optional(oneOf('cpu', 'webgpu')),
      /** Threads inside one operator; 0 leaves it to the engine. */
      threads: Type.Optional(upTo(256, 0)),
      epochs: Type.Optional(upTo(1_000_000)),
      /** Instead of epochs. */
      steps: Type.Optional(upTo(1_000_000_000)),
      batchSize: Type.Optional(upTo(65_536)),
      optimizer: Type.Optional(registryEntry('name', optimizers)),
      schedule: Type.Optional(registryEntry('name', schedules)),
      augment: Type.Optional(Type.Array(registryEntry('name', augmentations))),
      labelSmoothing: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 1 })),
      /** Largest global L2 norm of the gradient. */
      clipNorm: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
      ema: Type.Optional(
        Type.Object({ decay: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }) }, closed),
      ),
      /** Stop after this many epochs without a better validation metric. */
      earlyStopping: Type.Optional(Type.Object({ patience: upTo(1_000_000) }, closed)),
      /** Which epoch is exported: the best on validation, or the last. */
      select: Type.Optional(oneOf('best', 'last')),
      /** Steps between checkpoints, besides those at every epoch's end and every minute. */
      checkpointEvery: Type.Optional(upTo(1_000_000_000)),
    },
    closed,
  );
