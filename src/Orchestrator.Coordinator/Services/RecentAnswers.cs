using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Services;

/// <summary>
/// The answers to requests that no engine remembers: a request repeated with the same id has no second effect and gets the first answer.
/// </summary>
/// <typeparam name="T">The answer.</typeparam>
internal sealed class RecentAnswers<T>(MonotonicClock clock)
{
    private const int Maximum = 1_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (Task<T> Answer, TimeSpan At)> _answers = [];

    /// <summary>The answer to this request: that of its first call, while it is remembered.</summary>
    /// <param name="key">The client and the request id.</param>
    /// <param name="run">Executes the request.</param>
    public Task<T> GetAsync(string key, Func<Task<T>> run)
    {
        lock (_gate)
        {
            var now = clock.Now;
            foreach (var (old, (_, at)) in _answers.Where(answer => now - answer.Value.At > Window).ToArray())
                _answers.Remove(old);
            if (_answers.TryGetValue(key, out var known) && !known.Answer.IsFaulted && !known.Answer.IsCanceled)
                return known.Answer;
            if (_answers.Count >= Maximum)
                _answers.Remove(_answers.MinBy(answer => answer.Value.At).Key);
            var answer = run();
            _answers[key] = (answer, now);
            return answer;
        }
    }
}
