import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from './invariant.ts';
import { Histogram, Metrics, latencySeconds } from './metrics.ts';

test('counters and gauges are read as they are, with and without labels', () => {
  const metrics = new Metrics();
  const requests = metrics.counter('requests_total', 'requests', ['api', 'version']);
  const fetches = requests.with({ api: 'Fetch', version: '12' });
  fetches.add();
  fetches.add(4);
  requests.with({ version: '12', api: 'Fetch' }).add(); // the same series
  requests.with({ api: 'Produce', version: '9' }).add();
  const open = metrics.gauge('open_files', 'open files');
  open.set(10);
  open.add(-3);
  assert.equal(metrics.value('requests_total', { api: 'Fetch', version: '12' }), 6);
  assert.equal(metrics.value('requests_total', { api: 'Produce' }), 1);
  assert.equal(metrics.value('requests_total', { api: 'None' }), undefined);
  assert.equal(metrics.value('none'), undefined);
  assert.deepEqual(metrics.snapshot(), [
    { name: 'requests_total', labels: { api: 'Fetch', version: '12' }, value: 6 },
    { name: 'requests_total', labels: { api: 'Produce', version: '9' }, value: 1 },
    { name: 'open_files', labels: {}, value: 7 },
  ]);
});

test('a histogram counts what lies at or below each bound, and above all of them', () => {
  const histogram = new Histogram([1, 5, 10]);
  for (const value of [0, 1, 1.5, 5, 9, 10, 10.1, 1_000]) histogram.observe(value);
  assert.deepEqual([...histogram.counts], [2, 2, 2, 2]);
  assert.equal(histogram.count, 8);
  assert.equal(histogram.sum, 1_036.6);
});

test('a quantile is estimated within its bucket', () => {
  const histogram = new Histogram([10, 20, 30]);
  assert.equal(histogram.quantile(0.5), Number.NaN);
  for (let value = 1; value <= 20; value += 1) histogram.observe(value);
  assert.equal(histogram.quantile(0.25), 5);
  assert.equal(histogram.quantile(0.5), 10);
  assert.equal(histogram.quantile(0.75), 15);
  assert.equal(histogram.quantile(1), 20);
  histogram.observe(1_000_000);
  assert.equal(histogram.quantile(1), 30);
});

test('measured values are computed when somebody looks', () => {
  const metrics = new Metrics({ mostSeries: 2 });
  let depth = 1;
  metrics.measure('queue_depth', 'depth', () => depth);
  metrics.measureEach('log_end_offset', 'ends', ['partition'], () =>
    [0, 1, 2].map((partition) => [{ partition: `${partition}` }, partition * depth]),
  );
  depth = 7;
  assert.equal(metrics.value('queue_depth'), 7);
  assert.equal(metrics.value('log_end_offset', { partition: '1' }), 7);
  assert.equal(metrics.value('log_end_offset', { partition: '2' }), undefined, 'bounded');
  metrics.measure('queue_depth', 'depth', () => 99);
  assert.equal(metrics.value('queue_depth'), 99, 'a restarted part takes its place');
});

test('a name is one metric: the same again gives the same series, another kind is refused', () => {
  const metrics = new Metrics();
  const first = metrics.counter('a_total', 'a');
  assert.equal(metrics.counter('a_total', 'a'), first);
  assert.throws(() => metrics.gauge('a_total', 'a'), InvariantError);
  assert.throws(() => metrics.counter('a_total', 'a', ['label']), InvariantError);
  assert.throws(() => metrics.measure('a_total', 'a', () => 1), InvariantError);
  metrics.histogram('h', 'h', [1, 2]);
  assert.throws(() => metrics.histogram('h', 'h', [1, 3]), InvariantError);
  assert.throws(() => metrics.histogram('h2', 'h', [2, 1]), InvariantError);
  assert.throws(() => metrics.counter('not a name', 'x'), InvariantError);
  assert.throws(() => metrics.counter('ok', 'x', ['not-a-label']), InvariantError);
});

test('series beyond the bound share one, and a removed one makes room', () => {
  const metrics = new Metrics({ mostSeries: 3 });
  const bytes = metrics.counter('bytes_total', 'bytes', ['topic']);
  for (const topic of ['a', 'b', 'c', 'd', 'e']) bytes.with({ topic }).add(10);
  assert.equal(metrics.value('bytes_total', { topic: 'c' }), 10);
  assert.equal(metrics.value('bytes_total', { topic: 'd' }), undefined);
  assert.equal(metrics.value('bytes_total', { topic: '(other)' }), 20);
  bytes.remove({ topic: 'a' });
  bytes.remove({ topic: 'b' });
  bytes.with({ topic: 'f' }).add(1);
  assert.equal(metrics.value('bytes_total', { topic: 'f' }), 1);
  assert.equal(metrics.value('bytes_total', { topic: 'a' }), undefined);
});

test('labels that could be confused when put together are not', () => {
  const metrics = new Metrics();
  const family = metrics.counter('c_total', 'c', ['a', 'b']);
  family.with({ a: 'x', b: '1:y' }).add(1);
  family.with({ a: 'x1', b: ':y' }).add(2);
  family.with({ a: '', b: '1:x' }).add(3);
  assert.equal(metrics.snapshot().length, 3);
});

test('the text is what Prometheus reads, with everything escaped that needs it', () => {
  const metrics = new Metrics();
  metrics.counter('requests_total', 'how many\nof \\ them', ['client']).with({ client: 'a"b\\c\nd' }).add(2);
  const latency = metrics.histogram('latency_seconds', 'time', [0.1, 1], ['api']).with({ api: 'Fetch' });
  for (const value of [0.05, 0.5, 0.7, 3]) latency.observe(value);
  metrics.gauge('weird', 'not finite').set(-Infinity);
  metrics.counter('nothing_total', 'no series yet', ['x']);
  assert.equal(
    metrics.exposition(),
    [
      '# HELP requests_total how many\\nof \\\\ them',
      '# TYPE requests_total counter',
      'requests_total{client="a\\"b\\\\c\\nd"} 2',
      '# HELP latency_seconds time',
      '# TYPE latency_seconds histogram',
      'latency_seconds_bucket{api="Fetch",le="0.1"} 1',
      'latency_seconds_bucket{api="Fetch",le="1"} 3',
      'latency_seconds_bucket{api="Fetch",le="+Inf"} 4',
      'latency_seconds_sum{api="Fetch"} 4.25',
      'latency_seconds_count{api="Fetch"} 4',
      '# HELP weird not finite',
      '# TYPE weird gauge',
      'weird -Inf',
      '# HELP nothing_total no series yet',
      '# TYPE nothing_total counter',
      '',
    ].join('\n'),
  );
  assert.equal(new Metrics().exposition(), '');
});

test('the usual bounds ascend', () => {
  const metrics = new Metrics();
  metrics.histogram('seconds', 's', latencySeconds).observe(0.003);
  assert.equal(metrics.value('seconds'), 1);
});
