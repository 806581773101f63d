// Standard input as records: cut at a delimiter, as bytes, however the input comes in pieces.

/** What lies between the delimiters; the end of the input ends the last one, unless nothing follows its delimiter. */
export async function* splitInput(input: AsyncIterable<Buffer>, delimiter: Buffer): AsyncGenerator<Buffer[], void, void> {
  let rest: Buffer[] = [];
  const sought = delimiter.length === 1 ? (delimiter[0] ?? 0) : delimiter; // a single byte is found ten times as fast as a buffer of one
  for await (const chunk of input) {
    const pieces: Buffer[] = [];
    // A delimiter may lie across two chunks; only where it is longer than a byte is the seam looked at.
    let text = rest.length === 0 || delimiter.length === 1 ? chunk : Buffer.concat([...rest, chunk]);
    if (delimiter.length > 1) rest = [];
    for (let end = text.indexOf(sought); end >= 0; end = text.indexOf(sought)) {
      const last = text.subarray(0, end);
      pieces.push(rest.length === 0 ? last : Buffer.concat([...rest, last]));
      rest = [];
      text = text.subarray(end + delimiter.length);
    }
    if (text.length > 0) rest.push(text);
    if (pieces.length > 0) yield pieces;
  }
  if (rest.length > 0) yield [Buffer.concat(rest)];
}
