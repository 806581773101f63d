// The reference of what is served: every API a client may call, the versions that Kafka 4.2 has of it, and those that are
// answered here. Written from the tables that dispatch uses; scripts/generate-support.ts puts it into docs/generated, and a
// test notices when that was forgotten.
import { supportedFeatures } from '../broker/features.ts';
import { apis as allApis } from '../protocol/messages/index.ts';
import type { Api } from './handler.ts';

/** The whole page in Markdown. */
export function supportPage(served: ReadonlyMap<number, Api>): string {
  const rows = [...allApis].sort((left, right) => left.key - right.key).map((api) => line(api, served.get(api.key)));
  const count = allApis.filter(({ key }) => served.has(key)).length;
  return [
    '# APIs and versions',
    'Generated from `src/handlers/index.ts` by `node scripts/generate-support.ts`; do not edit.',
    `${count} of the ${allApis.length} APIs with which clients may come to a broker of Kafka 4.2 are served. What is not served is not advertised, and a connection that asks for it all the same is closed.`,
    ['| Key | API | Kafka 4.2 | Served |', '| ---: | --- | --- | --- |', ...rows].join('\n'),
    '## Features',
    'What ApiVersions tells of the cluster: only what is built.',
    [
      '| Feature | Levels |',
      '| --- | --- |',
      ...supportedFeatures.map(({ name, minVersion, maxVersion }) => `| \`${name}\` | ${range(minVersion, maxVersion)} |`),
    ].join('\n'),
    '',
  ].join('\n\n');
}

function line({ key, name, request }: (typeof allApis)[number], api: Api | undefined): string {
  return `| ${key} | ${name} | ${range(request.versions.min, request.versions.max)} | ${api === undefined ? '' : servedVersions(api)} |`;
}

function servedVersions({ minVersion, maxVersion, advertisedMinVersion }: Api): string {
  const versions = range(minVersion, maxVersion);
  return advertisedMinVersion === undefined ? versions : `${versions} (advertised from ${advertisedMinVersion})`;
}

const range = (min: number, max: number): string => (min === max ? String(min) : `${min}–${max}`);
