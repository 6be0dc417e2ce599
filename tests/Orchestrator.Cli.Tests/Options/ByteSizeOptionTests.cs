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

    [Theory]
    [InlineData(64, "64")]
    [InlineData(0, "0")]
    [InlineData(100_000, "100000")]
    [InlineData(512L << 20, "512MB")]
    [InlineData(3L << 29, "1536MB")]
    [InlineData(12_637_962_240, "11.77GB")]
    public void A_size_is_shown_in_its_largest_unit(long bytes, string text) => Assert.Equal(text, new OptionSize(bytes).ToString());

    [Fact]
    public void What_is_shown_is_read_as_nearly_the_same_size() => Gen.Long[0, 1L << 50].Sample(
        bytes => Assert.InRange(ByteSizeOption.TryParse(new OptionSize(bytes).ToString())!.Value, bytes * 0.99, bytes * 1.01));
}
