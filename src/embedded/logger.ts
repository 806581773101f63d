// Where an embedded broker's own log goes: to the logger it was given, from the weight on that the settings say. What
// that logger throws is its owner's affair and never reaches the broker.
import { silentLogger, type Logger } from '../base/log.ts';
import { logLevels } from '../config/own-configs.ts';
import type { BrokerOptions } from './api.ts';

/** Errors alone: a test should not be noisy, and a failed disk should not be silent. */
const toStandardError: Logger = {
  ...silentLogger,
  error: (message, details) => console.error(`bucketrider: ${message}`, ...(details === undefined ? [] : [details])),
};

export function embeddedLogger(given: BrokerOptions['logger'], from: (typeof logLevels)[number]): Logger {
  if (given === false) return silentLogger;
  const target = given ?? toStandardError;
  const pass =
    (level: keyof Logger): Logger[typeof level] =>
    (message, details) => {
      if (logLevels.indexOf(level) < logLevels.indexOf(from)) return;
      try {
        if (details === undefined) target[level](message);
        else target[level](message, details);
      } catch {
        // A log that fails must not take the broker with it.
      }
    };
  return { debug: pass('debug'), info: pass('info'), warn: pass('warn'), error: pass('error') };
}
