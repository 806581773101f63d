import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedFileError } from './damaged-file.ts';
import { decodeMetaProperties, encodeMetaProperties } from './meta-properties.ts';

const decode = (text: string) => decodeMetaProperties(Buffer.from(text, 'latin1'));
const ours = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'LTgjaufeaQUZzug7jJPQLw' };

test('what was written reads back', () => {
  for (const properties of [ours, { ...ours, directoryId: undefined }, { ...ours, clusterId: ' my=cluster: #1 \\ \u00fc\u4e2d\t' }])
    assert.deepEqual(decodeMetaProperties(encodeMetaProperties(properties)), properties);
});

test('a Java properties file is read with its comments, separators, escapes and continued lines', () => {
  assert.deepEqual(
    decode(
      `#\n! no = entry\n#Sun Nov 22\r\n  node.id : 1\ncluster.id 4L6g3nShT-\\\n    eMCtK--X86sw\nversion=1\ndirectory.id=${ours.directoryId}\n`,
    ),
    ours,
  );
  assert.equal(decode('version=1\nnode.id=0\ncluster.id=a\\:b\\u0041\\\\').clusterId, 'a:bA\\');
});

test('a directory that an older Kafka formatted has no id of its own', () => {
  assert.equal(decode('version=1\nnode.id=1\ncluster.id=x').directoryId, undefined);
});

test('what cannot be used says why and what to do', () => {
  const refused: [text: string, message: RegExp][] = [
    ['version=0\nbroker.id=0\ncluster.id=x', /version 0, of a Kafka with ZooKeeper; migrate/],
    ['broker.id=0', /version 0/],
    ['', /version 0/],
    ['version=2\nnode.id=1\ncluster.id=x', /version "2", known is 1; open the directory with the broker that wrote it/],
    ['version=1\nnode.id=1', /cluster.id is missing; restore it/],
    ['version=1\ncluster.id=x', /node.id is missing/],
    ['version=1\ncluster.id=x\nnode.id=-1', /node.id is "-1"/],
    ['version=1\ncluster.id=x\nnode.id=2147483648', /node.id is/],
    ['version=1\ncluster.id=x\nnode.id=1\ndirectory.id=x', /directory.id is "x"/],
  ];
  for (const [text, message] of refused)
    assert.throws(
      () => decode(text),
      (thrown) => thrown instanceof DamagedFileError && thrown.file === 'meta.properties' && message.test(thrown.message),
      JSON.stringify(text),
    );
});
