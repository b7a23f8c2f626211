import type { FastifyRequest } from 'fastify';
import type Type from 'typebox';
import { CreateDistillation, Options } from '../contract/distillation.ts';
import { RetortError } from '../errors.ts';
import { inputsOf, jsonField } from '../service/files/received.ts';
import type { JobInputs, JobOptions } from '../service/jobs/job.ts';
import { inputsBehind } from '../service/jobs/references.ts';
import { parseSpec } from '../spec/parse-spec.ts';
import { problemsOf } from '../spec/problems.ts';
import type { Spec } from '../spec/spec.ts';
import type { ApiContext } from './context.ts';
import { ownerFilter } from './principal.ts';
import { receiveParts } from './uploads/receive-parts.ts';

/** What a request wants distilled. */
export interface Draft {
  readonly inputs: JobInputs;
  readonly requested: Spec;
  readonly options: JobOptions;
}

const MAX_OPTIONS_BYTES = 16 * 1024;
const SMALLEST: Spec = { version: 1 };

/** A draft out of multipart/form-data (files and all) or of JSON (ids of earlier uploads). */
export async function readDraft(request: FastifyRequest, context: ApiContext): Promise<Draft> {
  return request.isMultipart() ? fromParts(request, context) : fromReferences(request, context);
}

async function fromParts(request: FastifyRequest, context: ApiContext): Promise<Draft> {
  const { RETORT_MAX_SPEC_BYTES, RETORT_MAX_MODEL_BYTES, RETORT_MAX_UPLOAD_BYTES } = context.config;
  const received = await receiveParts(request, context, {
    fields: { spec: RETORT_MAX_SPEC_BYTES, options: MAX_OPTIONS_BYTES },
    fileBytes: (field) => (field === 'dataset' ? RETORT_MAX_UPLOAD_BYTES : RETORT_MAX_MODEL_BYTES),
  });
  const spec = jsonField(received, 'spec');
  const options = jsonField(received, 'options') ?? {};
  return {
    inputs: inputsOf(received),
    requested: spec === undefined ? SMALLEST : parseSpec(spec),
    options: settle(checked(Options, options, 'options'), context),
  };
}

async function fromReferences(request: FastifyRequest, context: ApiContext): Promise<Draft> {
  const { spec = SMALLEST, options = {}, ...references } = checked(CreateDistillation, request.body, 'body');
  return {
    inputs: await inputsBehind(context.jobs, ownerFilter(request.principal).owner, references),
    requested: parseSpec(spec),
    options: settle(options, context),
  };
}

function settle(options: Options, { config }: ApiContext): JobOptions {
  return {
    labels: options.labels ?? {},
    priority: options.priority ?? 'normal',
    retainDays: options.retainDays ?? config.RETORT_RETAIN_DAYS,
    cancelAfterSeconds: options.cancelAfterSeconds ?? null,
  };
}

function checked<T extends Type.TSchema>(schema: T, value: unknown, what: string): Type.Static<T> {
  const problems = problemsOf(schema, value);
  if (problems.length === 0) return value as Type.Static<T>;
  throw new RetortError('REQUEST_INVALID', `the ${what} is wrong: ${problems[0]}`, {
    problems,
    hint: 'Pointers name the place; /docs shows the schema.',
  });
}
