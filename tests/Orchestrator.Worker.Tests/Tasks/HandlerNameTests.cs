using Orchestrator.Protocol;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Tests.Tasks;

/// <summary>Part 5, 22: the names that a handler may have.</summary>
public sealed class HandlerNameTests
{
    [Theory]
    [InlineData("fibonacci", true)]
    [InlineData("team/job-1.v2_x", true)]
    [InlineData("", false)]
    [InlineData("two words", false)]
    [InlineData("a\u001b[31m", false)]
    [InlineData("é", false)]
    public void A_handler_has_a_name_of_few_characters(string name, bool isValid)
    {
        Assert.Equal(isValid, HandlerNames.IsValid(name));
        var registry = new TaskHandlerRegistry();
        var error = Record.Exception(
            () => registry.MapTask(name, static (int n) => n));
        Assert.Equal(isValid, error is null);
        if (error is not null)
            Assert.Contains(HandlerNames.Rule, error.Message, StringComparison.Ordinal);
        Assert.False(HandlerNames.IsValid(new string('n', HandlerNames.MaxLength + 1)));
    }
}
