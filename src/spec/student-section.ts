import Type from 'typebox';
import { students } from '../core/students/index.ts';
import { closed } from './closed.ts';
import { registryEntry } from './registry-entry.ts';

const Limit = Type.Optional(Type.Integer({ minimum: 1 }));

/** The largest of all architectures' ladders that keeps every limit. */
const Auto = Type.Object(
  {
    auto: Type.Object({ maxParams: Limit, maxMacs: Limit, maxBytes: Limit }, { ...closed, minProperties: 1 }),
  },
  closed,
);

/** A trainable ONNX file of the user's. */
const Uploaded = Type.Object({ model: Type.String({ minLength: 1 }) }, closed);

export const Student = Type.Union([registryEntry('architecture', students), Auto, Uploaded]);
