// The page of tested clients: which version of which client library was run against the broker, which API versions it asked
// for, and how many checks it passed. Takes a report of run.ts apart and puts the page together; scripts/generate-clients.ts
// keeps both in docs/generated, and a test notices when they no longer fit each other or the clients that are pinned.
import type { CheckResult } from './report.ts';
import type { ApiUse } from './wire-log.ts';

/** One run of a suite, without what no second run would repeat (times, numbers of requests). */
export interface TestedClient {
  readonly suite: string;
  readonly client: string;
  readonly version: string;
  /** Checks that held, by level. */
  readonly passed: Readonly<Record<string, number>>;
  /** Checks for which the client has no means. */
  readonly cannot: number;
  /** Versions asked for, by the name of the API. */
  readonly apis: Readonly<Record<string, readonly number[]>>;
}

type ReportLine =
  | {
      readonly kind: 'client';
      readonly suite: string;
      readonly client: string;
      readonly version: string;
      readonly apis?: readonly ApiUse[];
    }
  | ({ readonly kind: 'check'; readonly suite: string } & CheckResult);

/** @throws Error when the report is of a run without the wire log, or one in which not everything held */
export function testedClients(report: string): TestedClient[] {
  const lines = report
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReportLine);
  const failed = lines.filter((line) => line.kind === 'check' && line.outcome === 'failed');
  if (failed.length > 0) throw new Error(`the page is made of runs in which every check held; here ${failed.length} failed`);
  const clients = lines.filter((line) => line.kind === 'client');
  return clients
    .map(({ suite, client, version, apis }) => {
      if (apis === undefined) throw new Error(`the report does not say what ${suite} asked for: run it with --trace`);
      const results = lines.flatMap((line) => (line.kind === 'check' && line.suite === suite ? [line] : []));
      return { suite, client, version, ...countChecks(results), apis: versionsByApi(apis) };
    })
    .sort((left, right) => left.suite.localeCompare(right.suite));
}

function countChecks(results: readonly CheckResult[]): Pick<TestedClient, 'passed' | 'cannot'> {
  const passed: Record<string, number> = {};
  for (const { outcome, level } of results) if (outcome === 'passed' && level !== undefined) passed[level] = (passed[level] ?? 0) + 1;
  return { passed, cannot: results.filter(({ outcome }) => outcome === 'cannot').length };
}

function versionsByApi(used: readonly ApiUse[]): Record<string, number[]> {
  const versions: Record<string, number[]> = {};
  for (const { api, version } of used) (versions[api] ??= []).push(version);
  for (const list of Object.values(versions)) list.sort((left, right) => left - right);
  return versions;
}

/** The whole page in Markdown. `apiNames` in the order of their keys; what no client asked for has no row. */
export function clientsPage(clients: readonly TestedClient[], apiNames: readonly string[]): string {
  const levels = [...new Set(clients.flatMap(({ passed }) => Object.keys(passed)))].sort();
  const asked = apiNames.filter((name) => clients.some(({ apis }) => apis[name] !== undefined));
  return [
    '# Tested clients',
    'Generated from `clients.json` by `node scripts/generate-clients.ts`; do not edit. The data come from a run of all suites in `test/clients` against the built broker with `--trace --report`, in which every check held.',
    'Level 1: topics, produce, fetch, offsets, every codec. Level 2: idempotent producers, refusals, administration of topics and their configs, consumer groups by the classic protocol and by the consumer protocol (KIP-848) where the client has it. A client that has no means for a check is not judged by it.',
    table(
      ['Suite', 'Client', 'Version', ...levels.map((level) => `Passed at level ${level}`), 'Has no means for'],
      clients.map(({ suite, client, version, passed, cannot }) => [
        suite,
        client,
        version,
        ...levels.map((level) => String(passed[level] ?? 0)),
        String(cannot),
      ]),
    ),
    '## API versions they asked for',
    table(
      ['API', ...clients.map(({ suite }) => suite)],
      asked.map((name) => [name, ...clients.map(({ apis }) => (apis[name] ?? []).join(', '))]),
    ),
    '',
  ].join('\n\n');
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
