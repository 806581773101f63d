// The last lines of something that talks without end.
export class Tail {
  readonly #lines: string[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(line: string): void {
    this.#lines.push(line.slice(0, 2_000));
    if (this.#lines.length > this.#most) this.#lines.shift();
  }

  text(): string {
    return this.#lines.map((line) => `    | ${line}`).join('\n');
  }
}
