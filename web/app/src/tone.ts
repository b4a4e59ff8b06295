const rate = 16_000;
const seconds = 1.6;

/** A WAV that stands for speech: there is no model here. Each text has its own. */
export function toneOf(text: string): File {
  const samples = new Int16Array(rate * seconds);
  const letters = [...text.toLowerCase()].map(letter => letter.codePointAt(0)! % 24);
  for (let index = 0; index < samples.length; index++) {
    const at = index / samples.length;
    const step = at * Math.min(letters.length, 14);
    const pitch = 150 * 2 ** (letters[Math.floor(step)]! / 18);
    const syllable = Math.sin((step % 1) * Math.PI) * (0.35 + ((letters[Math.floor(step)]! * 7) % 10) / 15);
    const wave = Math.sin((2 * Math.PI * pitch * index) / rate) + 0.4 * Math.sin((4 * Math.PI * pitch * index) / rate);
    samples[index] = wave * syllable * Math.sin(Math.PI * at) ** 0.3 * 12_000;
  }
  const header = new DataView(new ArrayBuffer(44));
  const put = (at: number, letters: string) =>
    [...letters].forEach((letter, index) => header.setUint8(at + index, letter.charCodeAt(0)));
  put(0, 'RIFF');
  header.setUint32(4, 36 + samples.byteLength, true);
  put(8, 'WAVEfmt ');
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  put(36, 'data');
  header.setUint32(40, samples.byteLength, true);
  return new File([header, samples], 'tone.wav', { type: 'audio/wav' });
}
