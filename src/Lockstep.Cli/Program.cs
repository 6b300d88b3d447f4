Console.WriteLine("lockstep");
