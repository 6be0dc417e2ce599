using System.Runtime.CompilerServices;
using System.Text;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Cpu;

/// <summary>Floating point, memory and sorting loads. Those with a seed answer the same on every machine.</summary>
/// <remarks>
/// The loops are optimized from their first call on: users time them, and a tiered method is slower for its first seconds in each new
/// worker.
/// </remarks>
internal static class NumericHandlers
{
    private const int MaxSide = 4096;
    private const int MaxPixels = 3_900_000;
    private const int MaxIterations = 100_000;
    private const int MaxMatrix = 2048;
    private const long MaxSamples = 100_000_000_000;
    private const int MaxSort = 10_000_000;
    private const long CheckMask = (1 << 16) - 1;

    public static void Register(ITaskMap map)
    {
        var json = StockJson.Default.Options;
        map.MapTask(
            "mandelbrot", (MandelbrotInput input, CancellationToken ct) => Mandelbrot(input, ct),
            new()
            {
                Json = json,
                Description = "Draws the Mandelbrot set; answers with a PGM image as bytes.",
                Example = """{"width": 320, "height": 240, "iterations": 256}""",
            });
        map.MapTask(
            "matrix_multiply", (MatrixInput input, CancellationToken ct) => MatrixMultiply(input, ct),
            new()
            {
                Json = json,
                Description = "Multiplies two n by n matrices of digits; answers with the sum of the product's elements.",
                Example = """{"n": 200, "seed": 1}""",
            });
        map.MapTask(
            "monte_carlo_pi", (SamplesInput input, CancellationToken ct) => MonteCarloPi(input, ct),
            new() { Json = json, Description = "Estimates pi from random points.", Example = """{"samples": 1000000, "seed": 1}""" });
        map.MapTask(
            "sort", (SortInput input, CancellationToken ct) => Sort(input, ct),
            new()
            {
                Json = json,
                Description = "Sorts random numbers; answers with the one in the middle.",
                Example = """{"count": 100000, "seed": 1}""",
            });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static byte[] Mandelbrot(MandelbrotInput input, CancellationToken cancellationToken)
    {
        Check.Range("width", input.Width, 1, MaxSide);
        Check.Range("height", input.Height, 1, MaxSide);
        Check.Range("iterations", input.Iterations, 1, MaxIterations);
        var pixels = input.Width * input.Height;
        if (pixels > MaxPixels)
            throw new InvalidInputException("height", $"times width must be at most {MaxPixels} pixels, got {pixels}");

        var header = Encoding.ASCII.GetBytes($"P5\n{input.Width} {input.Height}\n255\n");
        var image = new byte[header.Length + pixels];
        header.CopyTo(image, 0);
        var position = header.Length;
        for (var y = 0; y < input.Height; y++)
        {
            var imaginary = -1.25 + (2.5 * (y + 0.5) / input.Height);
            for (var x = 0; x < input.Width; x++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var steps = Escape(-2.0 + (3.0 * (x + 0.5) / input.Width), imaginary, input.Iterations);
                image[position++] = (byte)(steps == input.Iterations ? 0 : 255 - (254L * steps / input.Iterations));
            }
        }

        return image;
    }

    /// <summary>How many steps the point stays within radius 2; at most <paramref name="max"/>.</summary>
    private static int Escape(double real, double imaginary, int max)
    {
        double x = 0, y = 0;
        for (var steps = 0; steps < max; steps++)
        {
            if ((x * x) + (y * y) > 4)
                return steps;
            (x, y) = ((x * x) - (y * y) + real, (2 * x * y) + imaginary);
        }

        return max;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long MatrixMultiply(MatrixInput input, CancellationToken cancellationToken)
    {
        Check.Range("n", input.N, 1, MaxMatrix);
        var random = new SplitMix(input.Seed);
        var left = RandomMatrix(input.N, ref random);
        var right = RandomMatrix(input.N, ref random);
        var row = new double[input.N];
        double sum = 0;
        foreach (var leftRow in left)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Array.Clear(row);
            for (var k = 0; k < row.Length; k++)
            {
                var factor = leftRow[k];
                var rightRow = right[k];
                for (var j = 0; j < row.Length; j++)
                    row[j] += factor * rightRow[j];
            }

            foreach (var element in row)
                sum += element;
        }

        // Digits keep every product and sum a whole number well below 2^53, so the order of additions does not matter.
        return (long)sum;
    }

    // One array per row stays under the 85 KB of the large-object heap.
    private static double[][] RandomMatrix(int n, ref SplitMix random)
    {
        var matrix = new double[n][];
        for (var i = 0; i < n; i++)
        {
            matrix[i] = new double[n];
            for (var j = 0; j < n; j++)
                matrix[i][j] = random.Next() % 10;
        }

        return matrix;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static double MonteCarloPi(SamplesInput input, CancellationToken cancellationToken)
    {
        Check.Range("samples", input.Samples, 1, MaxSamples);
        var random = new SplitMix(input.Seed);
        long inside = 0;
        for (long i = 0; i < input.Samples; i++)
        {
            var x = random.NextDouble();
            var y = random.NextDouble();
            if ((x * x) + (y * y) < 1)
                inside++;
            if ((i & CheckMask) == 0)
                cancellationToken.ThrowIfCancellationRequested();
        }

        return 4.0 * inside / input.Samples;
    }

    private static int Sort(SortInput input, CancellationToken cancellationToken)
    {
        Check.Range("count", input.Count, 1, MaxSort);
        var random = new SplitMix(input.Seed);
        var numbers = new int[input.Count];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = (int)(random.Next() >> 33);
        cancellationToken.ThrowIfCancellationRequested();
        Array.Sort(numbers);
        return numbers[numbers.Length / 2];
    }
}
