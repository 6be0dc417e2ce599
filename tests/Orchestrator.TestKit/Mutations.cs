using System.Globalization;

namespace Orchestrator.TestKit;

/// <summary>
/// Real inputs, damaged at random: bits and bytes changed, pieces removed, repeated, cut off, or inserted from another input. The same seed
/// gives the same inputs. For more of them: <c>ORCHESTRATOR_FUZZ_ROUNDS=100000</c>.
/// </summary>
public static class Mutations
{
    private const int Longest = 64 * 1024;

    // Edge cases of parsers: signs, lengths, quotes, brackets, the ends of UTF-8.
    private static readonly byte[] s_edges = [0, 1, 0x7f, 0x80, 0xff, 0xc0, 0xed, (byte)'"', (byte)'\\', (byte)'{', (byte)'}', (byte)'[',
        (byte)']', (byte)',', (byte)'-', (byte)'0', (byte)'e', (byte)'\n'];

    /// <summary>The number of damaged inputs per corpus.</summary>
    public static int Rounds { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("ORCHESTRATOR_FUZZ_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture,
            out var rounds) ? rounds : 4_000;

    /// <summary>The corpus itself, then its damaged inputs.</summary>
    public static IEnumerable<byte[]> Of(int seed, params IReadOnlyList<byte[]> corpus)
    {
        foreach (var whole in corpus)
            yield return whole;
        var random = new Random(seed);
        for (var i = 0; i < Rounds; i++)
        {
            var bytes = new List<byte>(corpus[random.Next(corpus.Count)]);
            for (var hits = random.Next(1, 5); hits > 0; hits--)
                Damage(bytes, random, corpus);
            yield return [.. bytes.Take(Longest)];
        }
    }

    /// <summary>Reads each of these inputs.</summary>
    /// <exception cref="InvalidOperationException">The reader failed in another way than by reporting the input as damaged.</exception>
    public static void Read(int seed, Func<byte[], object?> read, Func<Exception, bool> isRefusal, params IReadOnlyList<byte[]> corpus)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(isRefusal);
        foreach (var bytes in Of(seed, corpus))
        {
            try
            {
                read(bytes);
            }
            catch (Exception error)
            {
                if (!isRefusal(error))
                    throw new InvalidOperationException($"seed {seed}, {Convert.ToHexString(bytes)}", error);
            }
        }
    }

    private static void Damage(List<byte> bytes, Random random, IReadOnlyList<byte[]> corpus)
    {
        var at = random.Next(bytes.Count + 1);
        var count = Math.Min(random.Next(1, 9), bytes.Count - at);
        switch (random.Next(8))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = s_edges[random.Next(s_edges.Length)];
                break;
            case 2:
                bytes.Insert(at, s_edges[random.Next(s_edges.Length)]);
                break;
            case 3:
                bytes.RemoveRange(at, count);
                break;
            case 4:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 5:
                // Repetition produces deep nesting and long runs.
                var piece = bytes.GetRange(at, count);
                for (var times = random.Next(1, 200); times > 0; times--)
                    bytes.InsertRange(at, piece);
                break;
            case 6:
                var other = corpus[random.Next(corpus.Count)];
                var from = random.Next(other.Length + 1);
                bytes.InsertRange(at, other[from..random.Next(from, other.Length + 1)]);
                break;
            default:
                for (var i = 0; i < count; i++)
                    bytes[at + i] = (byte)random.Next(256);
                break;
        }
    }
}
