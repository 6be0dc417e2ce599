import { fit } from './canvas.js';

/** Small charts on a canvas. */

/** A line with the area below it. Gaps stand where nothing was measured. */
export function area(canvas: HTMLCanvasElement, values: readonly number[], colour: string, least = 0, fill = 0.16): void {
  if (canvas.clientWidth === 0) return;
  const { width, height, ratio } = fit(canvas);
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  let most = least;
  for (const value of values) if (value > most) most = value;
  line(context, values, width, height, Math.max(most * 1.15, 1e-9), 2, colour, 1.4, fill);
}

/** Draws a line into a part of a canvas. */
export function line(
  context: CanvasRenderingContext2D,
  values: readonly number[],
  width: number,
  height: number,
  most: number,
  top: number,
  colour: string,
  thickness: number,
  fill: number,
): void {
  const step = width / Math.max(1, values.length - 1);
  const y = (value: number): number => height - 1 - Math.min(1, value / most) * (height - 1 - top);
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = thickness;
  for (let i = 0; i < values.length;) {
    while (i < values.length && Number.isNaN(values[i]!)) i++;
    const first = i;
    context.beginPath();
    for (; i < values.length && !Number.isNaN(values[i]!); i++) {
      if (i === first) context.moveTo(i * step, y(values[i]!));
      else context.lineTo(i * step, y(values[i]!));
    }
    if (i === first) continue;
    context.stroke();
    if (fill === 0) continue;
    context.lineTo((i - 1) * step, height);
    context.lineTo(first * step, height);
    context.globalAlpha = fill;
    context.fill();
    context.globalAlpha = 1;
  }
}
