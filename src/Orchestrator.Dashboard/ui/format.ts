/** Numbers, times and sizes in words. Every figure that is shown goes through here, so that all pages say the same in the same way. */
const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** What stands where nothing was measured. */
export const none = '–';

/** A 64-bit integer of the contract as a number. */
export const int = (value: string | number | undefined): number => (value === undefined ? 0 : Number(value));

/** A duration of the contract, in seconds; not a number if it is absent. */
export const seconds = (value: string | undefined): number => (value === undefined ? NaN : parseFloat(value));

/** An instant of the contract, in milliseconds since 1970; not a number if it is absent. */
export function instant(value: string | undefined): number {
  // Date.parse knows milliseconds; the contract may carry nanoseconds.
  return value === undefined ? NaN : Date.parse(value.replace(/(\.\d{3})\d+/, '$1'));
}

export const toInstant = (ms: number): string => new Date(ms).toISOString();

/** A number with thousands separators: "4,182,911". */
export const count = (value: number): string => (Number.isFinite(value) ? whole.format(value) : none);

/** A number in few characters: "2.11 M". */
export function shortCount(value: number): string {
  if (!Number.isFinite(value)) return none;
  return value >= 1e9
    ? `${(value / 1e9).toFixed(2)} G`
    : value >= 1e6
      ? `${(value / 1e6).toFixed(2)} M`
      : value >= 1e5
        ? `${Math.round(value / 1e3)} k`
        : whole.format(value);
}

/** A rate or another real number with as many digits as matter: "0.1", "12.4", "1,940". */
export function rate(value: number): string {
  if (!Number.isFinite(value)) return none;
  return value === 0 ? '0' : value < 0.05 ? '<0.1' : value < 99.95 ? String(Math.round(value * 10) / 10) : whole.format(value);
}

export const percent = (value: number): string =>
  Number.isFinite(value) ? `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} %` : none;

/** A share of successes: never rounded up to 100 %. */
export const successes = (share: number): string => (share >= 1 ? '100' : (Math.floor(share * 10000) / 100).toFixed(share > 0.99 ? 2 : 1));

/** A size with its unit, in powers of ten as the command shows it. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return none;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : Math.round(value * 10) / 10} ${units[unit]}`;
}

/** A time span with its unit: "0.21 ms", "38 ms", "12.4 s", "4 min", "3 h 12 min". */
export function span(s: number): string {
  if (!Number.isFinite(s)) return none;
  const ms = s * 1000;
  if (ms <= 0) return '0 ms';
  if (ms < 0.01) return `${Math.max(0.001, ms).toFixed(3)} ms`;
  if (ms < 999.5) return `${digits(ms)} ms`;
  if (s < 99.95) return `${Math.round(s * 10) / 10} s`;
  return longSpan(s);
}

/** The digits of a time in milliseconds: two that matter. */
export const digits = (ms: number): string => (!Number.isFinite(ms) ? none : ms < 1 ? ms.toFixed(2) : ms < 9.95 ? ms.toFixed(1) : whole.format(ms));

/** A time span in whole units: "38 s", "4 min", "3 h 12 min", "2 d 4 h". */
export function longSpan(s: number): string {
  if (!Number.isFinite(s)) return none;
  if (s < 99.5) return `${Math.max(0, Math.round(s))} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A time of the day, in this browser's time zone. */
export function clock(ms: number, withMilliseconds = false): string {
  if (!Number.isFinite(ms)) return none;
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** The end of an enumeration's name in words: "TASK_STATE_TIMED_OUT" becomes "timed out". */
export function words(value: string | undefined, prefix: string): string {
  return !value || value.endsWith('_UNSPECIFIED') ? '' : value.replace(prefix, '').toLowerCase().replaceAll('_', ' ');
}

/** "1 task", "2 tasks". */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
