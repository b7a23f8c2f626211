import { createHash, randomBytes } from 'node:crypto';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Digits of a 256-bit number in base 62. */
const SECRET_LENGTH = 43;
const SHAPE = new RegExp(`^rt_([0-9A-Za-z]{1,40})_([0-9A-Za-z]{${SECRET_LENGTH}})$`);

export interface Token {
  readonly id: string;
  readonly secret: string;
}

/** 256 random bits in base 62: no "_" that could be taken for the end of the id. */
export function newSecret(): string {
  let rest = BigInt(`0x${randomBytes(32).toString('hex')}`);
  let digits = '';
  while (digits.length < SECRET_LENGTH) {
    digits = DIGITS[Number(rest % 62n)]! + digits;
    rest /= 62n;
  }
  return digits;
}

/** `rt_<id>_<secret>`. */
export const formatToken = ({ id, secret }: Token): string => `rt_${id}_${secret}`;

/** Undefined: this was never a token of ours. */
export function parseToken(text: string): Token | undefined {
  const [, id, secret] = SHAPE.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** A secret has 256 bits of its own, so one round of sha256 keeps it: there is nothing to guess. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');
