using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Tests.Security;

/// <summary>Part 5, 22: texts of others move no cursor, set no colour and begin no row.</summary>
public sealed class VisibleTextTests
{
    [Theory]
    [InlineData("plain é ☃ 漢", "plain é ☃ 漢")]
    [InlineData("\u001b[2J\u001b[31mred", "\\u001b[2J\\u001b[31mred")]
    [InlineData("a\nworker-9\tREADY\r", "a\\nworker-9\\tREADY\\r")]
    [InlineData("\u009b31m\u0007\u0000\u007f", "\\u009b31m\\u0007\\u0000\\u007f")]
    [InlineData("\u202eevil\u2066\u2028", "\\u202eevil\\u2066\\u2028")]
    public void Control_characters_are_shown(string text, string shown)
    {
        Assert.Equal(shown, VisibleText.Line(text));
        Assert.Equal(shown, VisibleText.Line(VisibleText.Line(text)));
    }

    [Fact]
    public void Lines_keep_their_ends_and_nothing_else()
    {
        Assert.Equal("a\n\tb\\u001b[m\\r", VisibleText.Lines("a\n\tb\u001b[m\r"));
        for (var c = 0; c < 0xa0; c++)
            Assert.Equal(c is '\n' or '\t' or (>= ' ' and < 0x7f), VisibleText.Lines(((char)c).ToString()).Length == 1);
    }
}
