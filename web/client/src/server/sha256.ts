/** SHA-256 (FIPS 180-4), for pages that have no crypto.subtle: those outside of https and localhost. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const state = Int32Array.from(initial);
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const words = new Int32Array(64);
  for (let offset = 0; offset < padded.length; offset += 64) {
    for (let index = 0; index < 16; index++) words[index] = view.getInt32(offset + index * 4);
    for (let index = 16; index < 64; index++) {
      const [two, fifteen] = [words[index - 2]!, words[index - 15]!];
      const low = rotate(fifteen, 7) ^ rotate(fifteen, 18) ^ (fifteen >>> 3);
      const high = rotate(two, 17) ^ rotate(two, 19) ^ (two >>> 10);
      words[index] = (words[index - 16]! + low + words[index - 7]! + high) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let index = 0; index < 64; index++) {
      const one =
        (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[index]! + words[index]!) | 0;
      const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, index) => (state[index] = (state[index]! + value) | 0));
  }
  const hash = new DataView(new ArrayBuffer(32));
  state.forEach((value, index) => hash.setInt32(index * 4, value));
  return new Uint8Array(hash.buffer);
}

const rotate = (value: number, by: number): number => (value >>> by) | (value << (32 - by));

/** The first 32 bits of the fractional part of a root of the first primes. */
const rootsOfPrimes = (count: number, power: number): number[] => {
  const primes: number[] = [];
  for (let number = 2; primes.length < count; number++) if (primes.every(prime => number % prime !== 0)) primes.push(number);
  return primes.map(prime => ((prime ** power % 1) * 2 ** 32) | 0);
};

const initial = rootsOfPrimes(8, 1 / 2);
const constants = rootsOfPrimes(64, 1 / 3);
