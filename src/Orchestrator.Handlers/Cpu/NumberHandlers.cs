using System.Runtime.CompilerServices;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Cpu;

/// <summary>Whole-number arithmetic whose duration depends on its input.</summary>
/// <remarks>
/// The loops are optimized from their first call on: users time them, and a tiered method is slower for its first seconds in each new
/// worker.
/// </remarks>
internal static class NumberHandlers
{
    private const long MaxTerms = 100_000_000_000;
    private const int MaxFibonacci = 60;
    private const long MaxPrimeLimit = 10_000_000_000;

    // Often enough for a prompt cancel, seldom enough to cost nothing.
    private const long CheckMask = (1 << 16) - 1;

    // Below this, a call tree takes microseconds and need not check the token.
    private const int SmallFibonacci = 20;

    // A segment of the sieve fits into the first-level cache.
    private const int SegmentSize = 32 * 1024;

    public static void Register(ITaskMap map)
    {
        var json = StockJson.Default.Options;
        map.MapTask(
            "sum_of_squares", (CountInput input, CancellationToken ct) => SumOfSquares(input.N, ct),
            new() { Json = json, Description = "Adds i*i for every i below n, one by one.", Example = """{"n": 1000000}""" });
        map.MapTask(
            "fibonacci", (CountInput input, CancellationToken ct) => Fibonacci(input.N, ct),
            new() { Json = json, Description = "The n-th Fibonacci number by naive recursion.", Example = """{"n": 30}""" });
        map.MapTask(
            "count_primes", (LimitInput input, CancellationToken ct) => CountPrimes(input.Limit, ct),
            new() { Json = json, Description = "Counts the primes up to and including a limit.", Example = """{"limit": 1000000}""" });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static UInt128 SumOfSquares(long n, CancellationToken cancellationToken)
    {
        Check.Range("n", n, 0, MaxTerms);
        var sum = UInt128.Zero;
        for (long i = 0; i < n; i++)
        {
            // i*i exceeds 64 bits from 2^32 on.
            sum += (UInt128)(ulong)i * (ulong)i;
            if ((i & CheckMask) == 0)
                cancellationToken.ThrowIfCancellationRequested();
        }

        return sum;
    }

    private static long Fibonacci(long n, CancellationToken cancellationToken)
    {
        Check.Range("n", n, 0, MaxFibonacci);
        return Recurse((int)n, cancellationToken);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Recurse(int n, CancellationToken cancellationToken)
    {
        if (n < 2)
            return n;
        if (n == SmallFibonacci)
            cancellationToken.ThrowIfCancellationRequested();
        return Recurse(n - 1, cancellationToken) + Recurse(n - 2, cancellationToken);
    }

    /// <summary>The sieve of Eratosthenes in segments, so that memory stays at the square root of the limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long CountPrimes(long limit, CancellationToken cancellationToken)
    {
        Check.Range("limit", limit, 0, MaxPrimeLimit);
        var small = SmallPrimes((int)Math.Sqrt(limit) + 1);
        var composite = new bool[SegmentSize];
        long count = 0;
        for (long low = 2; low <= limit; low += SegmentSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var high = Math.Min(low + SegmentSize - 1, limit);
            Array.Clear(composite);
            foreach (var prime in small)
            {
                if ((long)prime * prime > high)
                    break;
                var first = Math.Max((long)prime * prime, (low + prime - 1) / prime * prime);
                for (var multiple = first; multiple <= high; multiple += prime)
                    composite[multiple - low] = true;
            }

            count += composite.AsSpan(0, (int)(high - low + 1)).Count(false);
        }

        return count;
    }

    private static List<int> SmallPrimes(int max)
    {
        var composite = new bool[max + 1];
        var primes = new List<int>();
        for (var i = 2; i <= max; i++)
        {
            if (composite[i])
                continue;
            primes.Add(i);
            for (var multiple = (long)i * i; multiple <= max; multiple += i)
                composite[multiple] = true;
        }

        return primes;
    }
}
