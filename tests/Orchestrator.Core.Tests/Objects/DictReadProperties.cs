using CsCheck;
using Orchestrator.Core.State;
using static Orchestrator.Core.Tests.Objects.StateCalls;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Pages of a dict, whole or by a prefix, against a list that is searched from its beginning: with changes between the pages, and with
/// questions that may add only a few keys to an index at a time.
/// </summary>
public sealed class DictReadProperties
{
    private const int Keys = 5_000;

    private static readonly Gen<(int Op, int A, int B, int Work)[]> Steps =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 100_000], Gen.Int[1, 900], Gen.Int[1, 4_000]).Array[1, 40];

    [Fact]
    public void Pages_are_those_of_a_search_through_all_entries() =>
        Steps.Sample(steps => new Run().Play(steps), iter: Iterations.Of(60), threads: 2);

    private sealed class Run
    {
        private readonly ObjectHarness _harness = Harness();
        private readonly List<(string Key, long Place)> _model = [];
        private long _places;
        // The reads in progress: the next page of each is asked for after further changes.
        private (string Prefix, string Token, string Key, long Place) _byPrefix;
        private (string Token, long Place) _whole = ("", 0);

        public void Play((int Op, int A, int B, int Work)[] steps)
        {
            foreach (var (op, a, b, work) in steps)
            {
                switch (op)
                {
                    case <= 2:
                        Add(a, b);
                        break;
                    case 3:
                        Remove(Enumerable.Range(0, b).Select(i => KeyOf(a + i)));
                        break;
                    case 4:
                        // The first entries, as a reader deletes what it has read; or around the place where a read goes on.
                        var at = a % 2 == 0 ? 0 : Math.Max(0, _model.FindIndex(entry => entry.Place >= _whole.Place));
                        Remove([.. _model.Skip(at).Take(b).Select(entry => entry.Key)]);
                        break;
                    case 5 when a % 10 == 0:
                        _harness.Apply(new UpdateDict("d", [], Clear: true));
                        _model.Clear();
                        break;
                    case 5 or 6:
                        ReadWhole(1 + (b % 50), work);
                        break;
                    default:
                        ReadByPrefix(a, 1 + (b % 50), work);
                        break;
                }
            }

            Remove([.. _model.Select(entry => entry.Key)]);
            _harness.Apply(new DeleteState(Kernel.ObjectKind.Dict, "d"));
            Assert.Equal((0, 0L), (_harness.View.ObjectCount, _harness.View.KeptBytes));
        }

        private static string KeyOf(int number) => $"{(char)('a' + (number % 3))}{number % Keys * 7 % Keys:D4}";

        private void Add(int a, int b)
        {
            var keys = Enumerable.Range(0, b).Select(i => KeyOf(a + i)).ToArray();
            _harness.Dict([.. keys.Select(key => Set(key, "1"))]);
            var known = _model.Select(entry => entry.Key).ToHashSet();
            _model.AddRange(keys.Where(known.Add).Select(key => (key, ++_places)));
        }

        private void Remove(IEnumerable<string> keys)
        {
            var gone = keys.ToHashSet();
            if (gone.Count > 0)
                _harness.Dict([.. gone.Select(Delete)]);
            _model.RemoveAll(entry => gone.Contains(entry.Key));
        }

        private void ReadWhole(int most, int work)
        {
            var page = Ask(new DictQuery("d") { MaxEntries = most, PageToken = _whole.Token }, work);
            var expected = _model.Where(entry => entry.Place > _whole.Place).Take(most).ToArray();
            Assert.Equal(expected.Select(entry => entry.Key), page.Entries.Select(entry => entry.Key));
            var more = expected.Length > 0 && _model[^1].Place > expected[^1].Place;
            Assert.Equal(more, page.NextPageToken.Length > 0);
            _whole = more ? (page.NextPageToken, expected[^1].Place) : ("", 0);
        }

        private void ReadByPrefix(int a, int most, int work)
        {
            if (_byPrefix.Token is not { Length: > 0 })
                _byPrefix = (KeyOf(a)[..(1 + (a % 4))], "", "", 0);
            var (prefix, token, after, _) = _byPrefix;
            var page = Ask(new DictQuery("d") { KeyPrefix = prefix, MaxEntries = most, PageToken = token, KeysOnly = true }, work);
            var expected = _model.Select(entry => entry.Key)
                .Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0)
                .Order(StringComparer.Ordinal)
                .ToArray();
            Assert.Equal(expected.Take(most), page.Entries.Select(entry => entry.Key));
            Assert.Equal(expected.Length > most, page.NextPageToken.Length > 0);
            _byPrefix = (prefix, page.NextPageToken, page.Entries is [.., var last] ? last.Key : "", 0);
        }

        private DictPage Ask(DictQuery query, int work)
        {
            while (true)
            {
                _harness.View.BeginQuestion(work);
                var page = (DictPage)_harness.View.ReadDict(query, _harness.Now);
                if (!_harness.View.IsQuestionUnfinished)
                    return page;
                Assert.Empty(page.Entries);
            }
        }
    }
}
