/** All chunks of a stream as one array. */
export async function concat(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const list: Uint8Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  const whole = new Uint8Array(list.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of list) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
