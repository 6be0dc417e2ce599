using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Protocol;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// <c>orchestrator token list|create|rotate|revoke</c>: works on the data directory, whether or not a coordinator runs there.
/// </summary>
internal static class TokenCommand
{
    private static readonly TimeSpan DefaultKeep = TimeSpan.FromHours(1);

    private static readonly Option<string> RoleOption = new Option<string>("--role")
    {
        Description = "Its rights: to observe; also to submit tasks and use shared objects; also to scale, recycle and drain.",
        HelpName = "observe|submit|operate",
        Required = true,
    }.AcceptOnlyFromAmong([.. RoleNames.All]);

    private static readonly Option<OptionTime?> Expires = DurationOption.Option(
        "--expires-in", "How long it is valid; by default until it is revoked.");

    private static readonly Option<string?> IdOption = new("--id") { Description = "Its id; random by default.", HelpName = "ID" };

    private static readonly Option<OptionTime?> Keep = DurationOption.Option(
        "--keep", "How long the old token stays valid alongside the new one.", DefaultKeep);

    private static readonly Argument<string> Id = new("ID") { Description = "The id, as listed by 'orchestrator token list'." };

    public static Command Create()
    {
        var create = new Command("create", "Creates a token and prints it: the only copy.") { RoleOption, Expires, IdOption }
            .Examples("orchestrator token create --role observe --expires-in 720h --id grafana")
            .HandledBy(CreateToken);
        var rotate = new Command("rotate", "Replaces the owner's token; the old one stays valid for a while.") { Keep }
            .Examples("orchestrator token rotate --keep 10m")
            .HandledBy(Rotate);
        var revoke = new Command("revoke", "Revokes a token; a running coordinator rejects it within a second.") { Id }
            .Examples("orchestrator token revoke grafana")
            .HandledBy(Revoke);
        var list = new Command("list", "Lists the tokens that have not expired, without the tokens themselves.")
            .Examples("orchestrator token list")
            .HandledBy(List);
        return new Command("token", "Creates, lists, rotates and revokes tokens of the coordinator in the data directory.") { list, create,
            rotate, revoke };
    }

    private static Task<int> CreateToken(CommandContext context, CancellationToken token)
    {
        _ = RoleNames.TryParse(context.Get(RoleOption)!, out var role);
        TimeSpan? lifetime = context.Get(Expires);
        if (lifetime <= TimeSpan.Zero)
            throw new UsageException("--expires-in must be more than zero.");
        var (entry, secret) = Run(() => Files(context).Create(role, lifetime, context.Get(IdOption)));
        if (context.Terminal.IsJson)
            context.Terminal.WriteJson(new { id = entry.Id, role = RoleNames.Of(entry.Role), expires = entry.Expires, token = secret });
        else
            context.Terminal.Line(secret);
        context.Terminal.Note($"token {entry.Id}: {RoleNames.Of(entry.Role)}, " +
            $"{(entry.Expires is { } end ? $"until {end:u}" : "until it is revoked")}; it is not shown again");
        return Task.FromResult(ExitCode.Ok);
    }

    private static Task<int> Rotate(CommandContext context, CancellationToken token)
    {
        TimeSpan keep = context.Get(Keep) ?? DefaultKeep;
        if (keep < TimeSpan.Zero)
            throw new UsageException("--keep must not be negative; 0s ends the old token at once.");
        var files = Files(context);
        _ = Run(() => files.Rotate(keep));
        context.Terminal.Line(
            $"The new token lies in {files.OwnerPath}; " +
            (keep > TimeSpan.Zero ? $"the old one stays valid for {keep:g}." : "the old one has ended."));
        return Task.FromResult(ExitCode.Ok);
    }

    private static Task<int> Revoke(CommandContext context, CancellationToken token)
    {
        var id = context.Get(Id)!;
        if (!Run(() => Files(context).Revoke(id)))
            throw new UsageException($"there is no token '{id}'; 'orchestrator token list' lists them.");
        context.Terminal.Line($"Revoked {id}.");
        return Task.FromResult(ExitCode.Ok);
    }

    private static Task<int> List(CommandContext context, CancellationToken token)
    {
        var tokens = Run(() => Files(context).List());
        if (context.Terminal.IsJson)
        {
            context.Terminal.WriteJson(tokens.Select(
                entry => new { id = entry.Id, role = RoleNames.Of(entry.Role), created = entry.Created, expires = entry.Expires }));
            return Task.FromResult(ExitCode.Ok);
        }

        context.Terminal.WriteTable(
            [new("id"), new("role"), new("created"), new("expires")],
            tokens.Select(
                entry => (string[])[entry.Id, RoleNames.Of(entry.Role), Time(entry.Created), entry.Expires is { } end ? Time(end) : "–"]));
        return Task.FromResult(ExitCode.Ok);

        static string Time(DateTimeOffset time) => time.ToString("u", CultureInfo.InvariantCulture);
    }

    private static TokenFiles Files(CommandContext context)
    {
        var directory = context.NamedDirectory();
        if (!File.Exists(Path.Combine(directory, ProtocolConstants.TokenFileName)))
            throw new UsageException(
                $"{directory} is no data directory of a coordinator: it has no token. 'orchestrator serve' creates one; --data-dir names " +
                "another directory.");
        return new TokenFiles(directory, TimeProvider.System);
    }

    private static T Run<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (ArgumentException exception)
        {
            throw new UsageException(exception.Message);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new IOException(exception.Message, exception);
        }
    }
}
