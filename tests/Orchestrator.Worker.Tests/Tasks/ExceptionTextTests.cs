using System.Text;
using CsCheck;
using Orchestrator.TestKit;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Tests.Tasks;

/// <summary>Exceptions as text, whatever their members do.</summary>
public sealed class ExceptionTextTests
{
    private const int MaxMessage = 16 * 1_024;
    private const int MaxStack = 64 * 1_024;

    public static TheoryData<string> Kinds => [.. HostileException.Kinds];

    /// <summary>Any text, also with halves of surrogate pairs, cut anywhere.</summary>
    [Fact]
    public void A_clean_text_is_short_and_can_be_encoded() =>
        Gen.Select(Gen.Int[0, 0xffff].Select(number => (char)number).Array[0, 50], Gen.Int[1, 60]).Sample((characters, length) =>
        {
            var text = new string(characters);
            var clean = ExceptionText.Clean(text, length);
            Assert.InRange(clean.Length, 0, length + 1);
            Assert.Equal(clean, Encoding.UTF8.GetString(new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(clean)));
            if (text.Length > length)
                Assert.EndsWith("…", clean, StringComparison.Ordinal);
            else if (Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text)
                Assert.Equal(text, clean);
        });

    [Fact]
    public void No_text_is_an_empty_one() => Assert.Equal("", ExceptionText.Clean(null, 10));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_part_of_a_hostile_exception_is_a_bounded_text(string kind)
    {
        var exception = HostileException.Create(kind);
        Assert.Contains(exception.GetType().Name, ExceptionText.TypeOf(exception), StringComparison.Ordinal);
        Assert.InRange(ExceptionText.MessageOf(exception).Length, 0, MaxMessage + 1);
        Assert.InRange(ExceptionText.StackOf(exception).Length, 0, MaxStack + 1);
        Assert.InRange(ExceptionText.Describe(exception).Length, 1, MaxStack + 1);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Inside_another_exception_it_harms_no_more(string kind)
    {
        var inner = HostileException.Create(kind);
        foreach (var outer in (Exception[])[new InvalidOperationException("outer", inner), new AggregateException("outer", inner)])
        {
            Assert.StartsWith(outer.GetType().FullName!, ExceptionText.Describe(outer), StringComparison.Ordinal);
            Assert.InRange(ExceptionText.MessageOf(outer).Length, 1, MaxMessage + 1);
        }
    }

    [Fact]
    public void A_member_that_throws_is_named_with_what_it_threw()
    {
        var exception = HostileException.Create("all throw");
        Assert.Equal(
            "(its message cannot be read: it threw System.InvalidOperationException)", ExceptionText.MessageOf(exception));
    }

    [Fact]
    public void Ten_causes_are_described_and_the_others_are_counted()
    {
        Exception chain = new InvalidDataException("the last");
        for (var i = 0; i < 30; i++)
            chain = new InvalidOperationException($"cause {i}", chain);
        var text = ExceptionText.Describe(chain);
        Assert.Contains("cause 20", text, StringComparison.Ordinal);
        Assert.DoesNotContain("cause 19", text, StringComparison.Ordinal);
        Assert.Contains("… and 21 more inner exceptions", text, StringComparison.Ordinal);
    }
}
