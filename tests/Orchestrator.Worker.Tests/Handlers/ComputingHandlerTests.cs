using System.IO.Compression;
using System.Text;
using Orchestrator.V1;

namespace Orchestrator.Worker.Tests.Handlers;

public sealed class ComputingHandlerTests
{
    [Theory]
    [InlineData("sum_of_squares", """{"n": 0}""", "0")]
    [InlineData("sum_of_squares", """{"n": 6}""", "55")]
    [InlineData("sum_of_squares", """{"n": "10"}""", "285")]
    [InlineData("sum_of_squares", """{"n": 1000000}""", "\"333332833333500000\"")]
    [InlineData("fibonacci", """{"n": 0}""", "0")]
    [InlineData("fibonacci", """{"n": 10}""", "55")]
    [InlineData("fibonacci", """{"n": 25}""", "75025")]
    [InlineData("count_primes", """{"limit": 0}""", "0")]
    [InlineData("count_primes", """{"limit": 2}""", "1")]
    [InlineData("count_primes", """{"limit": 11}""", "5")]
    [InlineData("count_primes", """{"limit": 1000000}""", "78498")]
    [InlineData("sha256", """{"text": "abc"}""", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"")]
    [InlineData("sha256", """{"text": "abc", "rounds": 2}""", "\"4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358\"")]
    [InlineData("matrix_multiply", """{"n": 1, "seed": 1}""", "45")]
    public async Task Known_answers(string handler, string input, string answer)
    {
        await using var fixture = new HandlerFixture();
        Assert.Equal(answer, await fixture.AnswerAsync(handler, input));
    }

    [Fact]
    public async Task Seeds_give_equal_answers_and_good_ones()
    {
        await using var fixture = new HandlerFixture();
        var pi = await fixture.AnswerAsync("monte_carlo_pi", """{"samples": 400000, "seed": 7}""");
        Assert.Equal(pi, await fixture.AnswerAsync("monte_carlo_pi", """{"samples": 400000, "seed": 7}"""));
        Assert.InRange(double.Parse(pi, System.Globalization.CultureInfo.InvariantCulture), 3.13, 3.15);

        // The median of many numbers spread evenly over [0, 2^31) is near 2^30.
        var middle = double.Parse(
            await fixture.AnswerAsync("sort", """{"count": 100001, "seed": 3}"""), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(middle / (1 << 30), 0.98, 1.02);

        // Sums of products of digits: on average 4.5 * 4.5 for each of the n^3 products.
        var sum = double.Parse(
            await fixture.AnswerAsync("matrix_multiply", """{"n": 100, "seed": 3}"""), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(sum / (20.25 * 1e6), 0.97, 1.03);
    }

    [Fact]
    public async Task Mandelbrot_draws_a_pgm_with_a_black_middle()
    {
        await using var fixture = new HandlerFixture();
        var image = HandlerFixture.Bytes(await fixture.RunAsync("mandelbrot", """{"width": 30, "height": 20, "iterations": 50}"""));
        var header = "P5\n30 20\n255\n"u8.ToArray();
        Assert.Equal(header, image[..header.Length]);
        Assert.Equal(header.Length + 600, image.Length);
        // The point (-0.5, 0) belongs to the set; the upper left corner does not.
        Assert.Equal(0, image[header.Length + (10 * 30) + 15]);
        Assert.True(image[header.Length] > 200);
    }

    [Fact]
    public async Task Bytes_are_hashed_packed_and_unpacked()
    {
        await using var fixture = new HandlerFixture();
        Assert.Equal(
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
            ExecutorFixture.Text((await fixture.RunBytesAsync("sha256", "abc"u8.ToArray())).Output));
        var text = Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Range(0, 50_000)));
        var packed = HandlerFixture.Bytes(await fixture.RunBytesAsync("gzip", text));
        Assert.True(packed.Length < text.Length / 2);
        Assert.Equal(text, HandlerFixture.Bytes(await fixture.RunBytesAsync("gunzip", packed)));
        Assert.Empty(
            HandlerFixture.Bytes(await fixture.RunBytesAsync("gunzip", HandlerFixture.Bytes(await fixture.RunBytesAsync("gzip", [])))));
    }

    [Fact]
    public async Task A_decompression_bomb_stops_at_the_limit()
    {
        using var bomb = new MemoryStream();
        await using (var gzip = new GZipStream(bomb, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var i = 0; i < 64; i++)
                gzip.Write(new byte[1 << 20]);
        }

        await using var fixture = new HandlerFixture();
        var error = (await fixture.RunBytesAsync("gunzip", bomb.ToArray())).Error!;
        Assert.Equal(ErrorReason.LimitExceeded, error.Reason);
    }

    [Theory]
    [InlineData("sum_of_squares", """{"n": "abc"}""", "input of 'sum_of_squares': field 'n' must be a whole number (int64), got \"abc\"")]
    [InlineData("sum_of_squares", """{"n": -1}""", "input of 'sum_of_squares': field 'n' must be between 0 and 100000000000, got -1")]
    [InlineData("fibonacci", """{"n": 61}""", "input of 'fibonacci': field 'n' must be between 0 and 60, got 61")]
    [InlineData("count_primes", """{}""", "input of 'count_primes': field 'limit' is missing: it must be a whole number (int64)")]
    [InlineData("sha256", """{"text": "a", "rounds": 0}""", "input of 'sha256': field 'rounds' must be between 1 and 100000000, got 0")]
    [InlineData("sha256", """{"text": null}""", "input of 'sha256': field 'text' must be a string, got null")]
    [InlineData("gzip", "{}", "input of 'gzip': must be bytes (data) or a JSON string, got {}")]
    [InlineData("mandelbrot", """{"width": 4096, "height": 4096}""",
        "input of 'mandelbrot': field 'height' times width must be at most 3900000 pixels, got 16777216")]
    [InlineData("mandelbrot", """{"width": 0, "height": 1}""", "input of 'mandelbrot': field 'width' must be between 1 and 4096, got 0")]
    [InlineData("matrix_multiply", """{"n": 5000}""", "input of 'matrix_multiply': field 'n' must be between 1 and 2048, got 5000")]
    [InlineData("monte_carlo_pi", """{"samples": 0}""",
        "input of 'monte_carlo_pi': field 'samples' must be between 1 and 100000000000, got 0")]
    [InlineData("sort", """{"count": 2.5}""", "input of 'sort': field 'count' must be a whole number (int32), got 2.5")]
    public async Task Bad_inputs(string handler, string input, string message)
    {
        await using var fixture = new HandlerFixture();
        Assert.Equal(message, await fixture.InvalidAsync(handler, input));
    }

    [Fact]
    public async Task Gunzip_refuses_what_is_not_packed()
    {
        await using var fixture = new HandlerFixture();
        Assert.Equal(ErrorReason.Invalid, (await fixture.RunBytesAsync("gunzip", [1, 2, 3])).Error!.Reason);
        Assert.Equal(ErrorReason.Invalid, (await fixture.RunBytesAsync("gunzip", [])).Error!.Reason);
    }

    [Theory]
    [InlineData("sum_of_squares", """{"n": 100000000000}""")]
    [InlineData("fibonacci", """{"n": 60}""")]
    [InlineData("count_primes", """{"limit": 10000000000}""")]
    [InlineData("sha256", """{"text": "a", "rounds": 100000000}""")]
    [InlineData("mandelbrot", """{"width": 1900, "height": 1900, "iterations": 100000}""")]
    [InlineData("matrix_multiply", """{"n": 2048}""")]
    [InlineData("monte_carlo_pi", """{"samples": 100000000000}""")]
    public async Task Long_computations_obey_a_cancel(string handler, string input)
    {
        await using var fixture = new HandlerFixture();
        var assignment = fixture.Executor.Assign(handler, input);
        assignment.RunTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMilliseconds(5));
        Assert.Equal(ErrorReason.RunTimeout, (await fixture.Executor.RunAsync(assignment)).Error!.Reason);
    }
}
