/** ln sum_i e^value(i) over `count` numbers, by the largest; -Infinity where all are. */
export function logSumExp(count: number, value: (i: number) => number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) top = Math.max(top, value(i));
  if (top === Number.NEGATIVE_INFINITY) return top;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.exp(value(i) - top);
  return Math.log(sum) + top;
}
