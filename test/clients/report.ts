// What the suites said, counted: one entry for each check that was due, whether or not a line came for it.
import { levelOf, saysOf } from './checks.ts';

export interface CheckResult {
  readonly check: string;
  readonly outcome: 'passed' | 'failed' | 'cannot';
  /** 1 to 3; undefined for what no level has, such as how a suite ended. */
  readonly level?: number;
  /** Of a failure, or of what the client has no means for. */
  readonly why?: string;
  readonly ms: number;
}

export type SuiteLine =
  | { readonly kind: 'client'; readonly name: string; readonly version: string }
  | { readonly kind: 'level'; readonly level: number }
  | { readonly kind: 'running'; readonly check: string }
  | { readonly kind: 'result'; readonly check: string; readonly outcome: CheckResult['outcome']; readonly why?: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'other' };

const outcomes: Record<string, CheckResult['outcome']> = { ok: 'passed', 'not ok': 'failed', cannot: 'cannot' };

export function parseSuiteLine(line: string): SuiteLine {
  const client = /^client (\S+) (\S+)$/.exec(line);
  if (client) return { kind: 'client', name: client[1]!, version: client[2]! };
  const level = /^level (\d)$/.exec(line);
  if (level) return { kind: 'level', level: Number(level[1]) };
  const running = /^running (\S.*)$/.exec(line);
  if (running) return { kind: 'running', check: running[1]! };
  const result = /^(ok|not ok|cannot) - (.+?)(?:: (.*))?$/.exec(line);
  if (result) {
    const [, word, check, why] = result;
    return { kind: 'result', check: check!, outcome: outcomes[word!]!, ...(why !== undefined && { why }) };
  }
  return line === 'done' ? { kind: 'done' } : { kind: 'other' };
}

/** Collects what one suite says; `missing` turns what it left unsaid into failures. */
export class SuiteRecord {
  client = 'unknown';
  version = 'unknown';
  done = false;
  /** The check that has been announced and not answered. */
  running: string | undefined;
  readonly results: CheckResult[] = [];
  readonly #due: Set<string>;
  /** Of the checks that come now, in a suite with checks of its own. */
  #level: number | undefined;
  /** When the last line came, which is when the check that the next one answers began. */
  #sinceMs: number | undefined;

  constructor(due: readonly string[]) {
    this.#due = new Set(due);
  }

  get failed(): boolean {
    return this.results.some(({ outcome }) => outcome === 'failed');
  }

  /** The result, when the line was one. */
  take(line: string, nowMs: number): CheckResult | undefined {
    const said = parseSuiteLine(line);
    const ms = Math.round(nowMs - (this.#sinceMs ?? nowMs));
    if (said.kind !== 'other') this.#sinceMs = nowMs;
    if (said.kind === 'client') {
      this.client = said.name;
      this.version = said.version;
    } else if (said.kind === 'level') {
      this.#level = said.level;
    } else if (said.kind === 'running') {
      this.running = said.check;
    } else if (said.kind === 'done') this.done = true;
    if (said.kind !== 'result') return undefined;
    const level = levelOf(said.check) ?? this.#level;
    return this.#add({
      check: said.check,
      outcome: said.outcome,
      ms,
      ...(level !== undefined && { level }),
      ...(said.why !== undefined && { why: said.why }),
    });
  }

  /** Failures for everything due that no line answered, and for an ending that the suite itself did not announce. */
  finish(ending: string): CheckResult[] {
    const failures: CheckResult[] = [];
    for (const check of this.#due) {
      const why =
        check === this.running ? `the suite ended in the middle of it: ${ending}` : `the suite ended without an answer: ${ending}`;
      failures.push({ check, outcome: 'failed', why, ms: 0 });
    }
    if (failures.length === 0 && !this.done) failures.push({ check: 'finish', outcome: 'failed', why: ending, ms: 0 });
    this.results.push(...failures);
    this.#due.clear();
    return failures;
  }

  #add(result: CheckResult): CheckResult {
    this.#due.delete(result.check);
    if (this.running === result.check) this.running = undefined;
    this.results.push(result);
    return result;
  }
}

export function resultLine(suite: string, { check, outcome, why, ms }: CheckResult): string {
  const sentence = `${suite} ${saysOf(check)}`;
  if (outcome === 'passed') return `ok - ${sentence} (${ms} ms)`;
  return outcome === 'failed' ? `not ok - ${sentence}: ${why}` : `# cannot - ${sentence}: ${why}`;
}

export const count = (results: readonly CheckResult[], outcome: CheckResult['outcome']): number =>
  results.filter((result) => result.outcome === outcome).length;

/** The plain closing line. What a client has no means for is no check of the broker, so it is not counted. */
export const closingLine = (results: readonly CheckResult[]): string =>
  `${count(results, 'passed')} passed, ${count(results, 'failed')} failed`;
