/** Schema option of every object of the spec: unknown keys are refused. */
export const closed = { additionalProperties: false } as const;
