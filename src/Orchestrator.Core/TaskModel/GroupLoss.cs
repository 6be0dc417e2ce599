namespace Orchestrator.Core.TaskModel;

/// <summary>
/// A group of workers that has been given up: none of its workers lives, and none is started until an operator requests it.
/// </summary>
/// <param name="Group">Its name.</param>
/// <param name="Message">Why, with the last words of its last worker, and a remedy; begins with the group.</param>
/// <param name="PostMortem">The known facts about its last worker; null if none could be started at all.</param>
public sealed record GroupLoss(string Group, string Message, WorkerPostMortem? PostMortem);
