import type { TObject } from 'typebox';
import { optimizers } from '../core/optimizers/index.ts';
import { type EntrySpec, entryOf, resolveOptions } from '../core/options.ts';
import { schedules } from '../core/schedules/index.ts';
import { strategies } from '../core/strategies/index.ts';
import type { Strategy } from '../core/strategies/strategy.ts';
import { augmentations } from '../data/augment/index.ts';
import { RetortError } from '../errors.ts';
import { checkEnsemble } from './check-ensemble.ts';
import { checkLength } from './check-length.ts';
import { refuseLabelShare } from './refuse-label-share.ts';
import { refuseUnreadOptions } from './refuse-unread-options.ts';
import { resolveObjective } from './resolve-objective.ts';
import { resolvePhases } from './resolve-phases.ts';
import { resolveStudent } from './resolve-student.ts';
import type { ResolvedSpec, ResolvedTrain } from './resolved-spec.ts';
import type { Spec } from './spec.ts';

/** What the machine at hand offers; `why` says why something is missing. */
export interface Facilities {
  readonly kernels: Readonly<Record<string, { readonly available: boolean; readonly why?: string }>>;
  readonly devices: Readonly<Record<string, { readonly available: boolean; readonly why?: string }>>;
}

type Train = NonNullable<Spec['train']>;

/** Fills every default and settles every "auto", so that the result alone decides what is done. */
export function resolveSpec(spec: Spec, facilities: Facilities): ResolvedSpec {
  refuseBoth(spec);
  const strategy = entrySpec(strategies, spec.strategy, 'single-stage', 'strategy');
  const entry = entryOf<Strategy>(strategies, strategy.name, 'strategy');
  const student = resolveStudent(spec.student as object | undefined);
  const own = entry.terms && { terms: entry.terms(strategy.options) };
  refuseLabelShare(spec.objective, entry);
  const train = resolveTrain(withDefaults(spec.train ?? {}, entry.train ?? {}), facilities);
  refuseUnreadOptions(entry, spec.strategy ?? {}, strategy.options, spec.objective);
  const objective = resolveObjective(spec.objective ?? own, entry.adds?.(strategy.options));
  const phases = resolvePhases(strategy, objective.terms, student);
  checkLength(strategy.name, phases, train);
  return {
    version: 1,
    inputs: spec.inputs ?? {},
    labels: spec.labels ?? {},
    data: { maxRejects: 0.01, ...spec.data },
    teacherQuality: { override: spec.teacherQuality?.override ?? false },
    student,
    ...(spec.method ? { method: spec.method } : {}),
    strategy,
    ...(entry.ensemble ? { ensemble: checkEnsemble(entry.ensemble(strategy.options), objective.terms) } : {}),
    ...(entry.inversion ? { inversion: entry.inversion(strategy.options) } : {}),
    objective,
    phases,
    train,
    export: { tolerance: spec.export?.tolerance ?? 1e-3 },
    controls: spec.controls ?? true,
    seed: spec.seed ?? 0,
    seeds: spec.seeds ?? 1,
  };
}

/** A method that is to be found cannot be given. */
function refuseBoth(spec: Spec): void {
  const given = (['objective', 'strategy'] as const).filter((section) => spec[section] !== undefined);
  if (!spec.method || given.length === 0) return;
  throw new RetortError('SPEC_INVALID', `/method is "auto", which finds what /${given[0]} says`, {
    hint: `Leave out ${given.join(' and ')}, or method.`,
  });
}

/** What the spec says, and of the rest what the strategy sets. A length is one thing, in epochs or in steps. */
function withDefaults(train: Train, { epochs, ...set }: NonNullable<Strategy['train']>): Train {
  const isLong = train.epochs !== undefined || train.steps !== undefined;
  return { ...set, ...(isLong || epochs === undefined ? {} : { epochs }), ...train } as Train;
}

function resolveTrain(train: Train, facilities: Facilities): ResolvedTrain {
  if (train.epochs !== undefined && train.steps !== undefined) {
    throw new RetortError('SPEC_INVALID', '/train has both "epochs" and "steps"; give one of them');
  }
  const { clipNorm, ema, earlyStopping, checkpointEvery } = train;
  return {
    ...engine(train, facilities),
    threads: train.threads ?? 0,
    length: train.steps !== undefined ? { steps: train.steps } : { epochs: train.epochs ?? 10 },
    batchSize: train.batchSize ?? 64,
    optimizer: entrySpec(optimizers, train.optimizer, 'adam', 'optimizer'),
    schedule: entrySpec(schedules, train.schedule, 'cosine', 'schedule'),
    augment: ((train.augment ?? []) as readonly Named[]).map((entry) =>
      entrySpec(augmentations, entry, '', 'augmentation'),
    ),
    labelSmoothing: train.labelSmoothing ?? 0,
    select: (train.select as 'best' | 'last' | undefined) ?? 'best',
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(ema === undefined ? {} : { ema }),
    ...(earlyStopping === undefined ? {} : { earlyStopping }),
    ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
  };
}

const TEACHER_HINT =
  'WebGPU takes a GPU, its driver and, on Linux, a Vulkan loader (Debian: libvulkan1); or leave out train.teacherDevice.';

/**
 * Kernel and devices. What was asked for and is missing is refused, never replaced in silence. On CPUs `auto` stays, to be
 * settled by the calibrate stage on the Program itself (docs/adr/0008).
 */
function engine(
  train: Train,
  { kernels, devices }: Facilities,
): Pick<ResolvedTrain, 'kernel' | 'kernelReason' | 'device' | 'teacherDevice'> {
  const asked = train.kernel === 'auto' ? undefined : train.kernel;
  const wanted = train.device ?? 'auto';
  const device = wanted !== 'auto' ? wanted : devices.cuda?.available && asked !== 'tfjs' ? 'cuda' : 'cpu';
  const teacherDevice = train.teacherDevice ?? device;
  const kernel = asked ?? (device === 'cpu' ? 'auto' : 'onnxruntime');
  for (const [what, name, table] of [
    ['kernel', kernel === 'auto' ? 'onnxruntime' : kernel, kernels],
    ['device', device, devices],
    ['teacherDevice', teacherDevice, devices],
  ] as const) {
    if (!table[name]?.available) {
      throw new RetortError(
        'RUNTIME_UNAVAILABLE',
        `the ${what} "${name}" cannot be used here: ${table[name]?.why ?? 'not installed'}`,
        { hint: what === 'teacherDevice' ? TEACHER_HINT : `Leave out train.${what}, or say "auto".` },
      );
    }
  }
  const reason = asked ? 'asked for' : `the only kernel for ${device}`;
  return {
    kernel: kernel as ResolvedTrain['kernel'],
    ...(kernel === 'auto' ? {} : { kernelReason: reason }),
    device: device as ResolvedTrain['device'],
    teacherDevice: teacherDevice as ResolvedTrain['teacherDevice'],
  };
}

interface Named {
  readonly name: string;
}

function entrySpec(
  registry: Readonly<Record<string, { readonly options: TObject }>>,
  written: object | undefined,
  fallback: string,
  what: string,
): EntrySpec {
  const { name, ...options } = (written as Named | undefined) ?? { name: fallback };
  return { name, options: resolveOptions(entryOf(registry, name, what).options, options, name) };
}
