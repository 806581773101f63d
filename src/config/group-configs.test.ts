import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveBrokerConfig } from './broker-configs.ts';
import { ConfigError } from './config-value.ts';
import { checkClientMetricsConfigs, checkGroupConfigs, groupConfigs, resolveGroupConfig } from './group-configs.ts';

const texts = (settings: Record<string, string>) => new Map(Object.entries(settings));
const broker = resolveBrokerConfig({
  static: texts({ 'group.consumer.max.session.timeout.ms': '70000', 'group.consumer.session.timeout.ms': '50000' }),
});
const checked = (settings: Record<string, string>) => () => checkGroupConfigs(texts(settings), broker);

test('the group settings are those of Kafka 4.2', () => {
  assert.deepEqual(
    Object.values(groupConfigs).map(({ name, type, defaultText, valid }) => [name, type, defaultText, valid].join('|')),
    [
      'consumer.heartbeat.interval.ms|int|5000|[1,...]',
      'consumer.session.timeout.ms|int|45000|[1,...]',
      'share.auto.offset.reset|string|latest|[latest, earliest, by_duration:PnDTnHnMn.nS]',
      'share.heartbeat.interval.ms|int|5000|[1,...]',
      'share.isolation.level|string|read_uncommitted|[read_committed, read_uncommitted]',
      'share.record.lock.duration.ms|int|30000|[1000,...]',
      'share.session.timeout.ms|int|45000|[1,...]',
      'streams.heartbeat.interval.ms|int|5000|[1,...]',
      'streams.initial.rebalance.delay.ms|int|3000|[0,...]',
      'streams.num.standby.replicas|int|0|[0,...]',
      'streams.session.timeout.ms|int|45000|[1,...]',
    ],
  );
});

test('a group’s own setting beats the broker’s, and what is not set follows the broker', () => {
  const config = resolveGroupConfig(broker, texts({ 'consumer.heartbeat.interval.ms': '6000' }));
  assert.equal(config['consumer.heartbeat.interval.ms'], 6000);
  assert.equal(config['consumer.session.timeout.ms'], 50_000);
  assert.equal(config['share.auto.offset.reset'], 'latest');
});

test('a group may move within the broker’s limits and not beyond', () => {
  checked({ 'consumer.session.timeout.ms': '70000', 'consumer.heartbeat.interval.ms': '15000' })();
  assert.throws(
    checked({ 'consumer.session.timeout.ms': '70001' }),
    new ConfigError('consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms'),
  );
  assert.throws(
    checked({ 'consumer.heartbeat.interval.ms': '4999' }),
    new ConfigError('consumer.heartbeat.interval.ms must be greater than or equal to group.consumer.min.heartbeat.interval.ms'),
  );
  assert.throws(
    checked({ 'streams.num.standby.replicas': '3' }),
    new ConfigError('streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas'),
  );
});

test('heartbeats must be shorter than the session', () => {
  const loose = resolveBrokerConfig({
    static: texts({ 'group.share.min.session.timeout.ms': '1', 'group.share.max.heartbeat.interval.ms': '60000' }),
  });
  assert.throws(
    () => checkGroupConfigs(texts({ 'share.session.timeout.ms': '9000', 'share.heartbeat.interval.ms': '9000' }), loose),
    new ConfigError('share.session.timeout.ms must be greater than share.heartbeat.interval.ms'),
  );
});

test('unknown names, nulls and wrong values of a group are refused in Kafka’s words', () => {
  assert.throws(checked({ 'retention.ms': '1' }), new ConfigError('Unknown group config name: retention.ms'));
  assert.throws(
    () => checkGroupConfigs(new Map([['share.isolation.level', null]]), broker),
    new ConfigError('Null value not supported for group configs: share.isolation.level'),
  );
  for (const wrong of ['x', 'EARLIEST', 'by_duration:-PT1S', 'by_duration:P', 'by_duration:PT', 'by_duration:'])
    assert.throws(
      checked({ 'share.auto.offset.reset': wrong }),
      new ConfigError(
        `Invalid value ${wrong} for configuration share.auto.offset.reset: Invalid value \`${wrong}\` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`,
      ),
    );
  for (const right of ['earliest', 'by_duration:P1D', 'by_duration:PT2H30M0.5S', 'by_duration:P1DT1S'])
    checked({ 'share.auto.offset.reset': right })();
});

test('a client metrics subscription is checked as Kafka checks it', () => {
  checkClientMetricsConfigs(texts({ 'interval.ms': '100', match: 'client_software_name=Java,client_id = app.*', metrics: '*' }));
  const message = 'Invalid value 99 for interval.ms, interval must be between 100 and 3600000 (1 hour)';
  assert.throws(() => checkClientMetricsConfigs(texts({ 'interval.ms': '99' })), { message, errorName: 'INVALID_REQUEST' });
  assert.throws(() => checkClientMetricsConfigs(texts({ nope: '1' })), {
    message: 'Unknown client metrics configuration: nope',
    errorName: 'INVALID_REQUEST',
  });
  for (const pattern of ['client_id', 'colour=red', 'client_id=a=b'])
    assert.throws(
      () => checkClientMetricsConfigs(texts({ match: pattern })),
      new ConfigError(`Illegal client matching pattern: ${pattern}`),
    );
});
