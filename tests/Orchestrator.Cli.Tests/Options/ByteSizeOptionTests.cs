using System.Globalization;
using CsCheck;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Tests.Options;

/// <summary>Sizes on the command line.</summary>
public sealed class ByteSizeOptionTests
{
    private static readonly (string Unit, int Shift)[] s_units =
        [("", 0), ("K", 10), ("KB", 10), ("KiB", 10), ("M", 20), ("MB", 20), ("MiB", 20), ("G", 30), ("GB", 30), ("GiB", 30)];

    [Fact]
    public void A_whole_number_of_any_unit_is_exact() =>
        Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[0, s_units.Length - 1], Gen.Bool).Sample((number, index, isLower) =>
        {
            var unit = s_units[index];
            var suffix = isLower ? unit.Unit.ToLowerInvariant() : unit.Unit;
            Assert.Equal((long)number << unit.Shift, ByteSizeOption.TryParse(number.ToString(CultureInfo.InvariantCulture) + suffix));
        });

    [Theory]
    [InlineData("1.5GB", 3L << 29)]
    [InlineData(".5K", 512)]
    [InlineData("0", 0)]
    public void A_part_of_a_unit_is_possible(string text, long bytes) => Assert.Equal(bytes, ByteSizeOption.TryParse(text));

    [Theory]
    [InlineData("")]
    [InlineData("MB")]
    [InlineData("-1")]
    [InlineData("-1MB")]
    [InlineData("1TB")]
    [InlineData("1 MB")]
    [InlineData("1,5GB")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("9223372036854775808")]
    [InlineData("8589934592GB")]
    public void What_is_no_size_is_none(string text) => Assert.Null(ByteSizeOption.TryParse(text));
}
